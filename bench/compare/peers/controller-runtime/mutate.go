package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// referenceField is the name of the index of what backups refer to, as kind/name.
const referenceField = "spec.resourceRef"

func reference(object client.Object) []string {
	to := object.(*CheckpointBackup).Spec.ResourceRef
	return []string{to.Kind + "/" + to.Name}
}

type podMutator struct {
	reader  client.Reader
	decoder admission.Decoder
	indexed bool
}

func (m *podMutator) Handle(ctx context.Context, request admission.Request) admission.Response {
	pod := &corev1.Pod{}
	if err := m.decoder.Decode(request, pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	job := jobOf(pod)
	if job == "" {
		return admission.Allowed("not from a Job")
	}
	find := m.findListed
	if m.indexed {
		find = m.findIndexed
	}
	backup, err := find(ctx, request.Namespace, job)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	if backup == nil {
		return admission.Allowed("no backup")
	}
	if !restore(pod, backup) {
		return admission.Allowed("nothing to change")
	}
	changed, err := json.Marshal(pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(request.Object.Raw, changed)
}

func jobOf(pod *corev1.Pod) string {
	for _, owner := range pod.OwnerReferences {
		if owner.Kind == "Job" && owner.APIVersion == "batch/v1" {
			return owner.Name
		}
	}
	return ""
}

// findListed goes through all backups of the namespace.
func (m *podMutator) findListed(ctx context.Context, namespace, job string) (*CheckpointBackup, error) {
	var list CheckpointBackupList
	if err := m.reader.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	for i := range list.Items {
		to := list.Items[i].Spec.ResourceRef
		if (to.Kind == "Job" && to.Name == job) || (to.Kind == "CronJob" && strings.HasPrefix(job, to.Name+"-")) {
			return &list.Items[i], nil
		}
	}
	return nil, nil
}

// findIndexed asks for the Job's, then for those of CronJobs that the Job may be named after.
func (m *podMutator) findIndexed(ctx context.Context, namespace, job string) (*CheckpointBackup, error) {
	references := []string{"Job/" + job}
	for i := len(job) - 1; i > 0; i-- {
		if job[i] == '-' {
			references = append(references, "CronJob/"+job[:i])
		}
	}
	for _, to := range references {
		var list CheckpointBackupList
		// What is found is only read, and need not be copied.
		err := m.reader.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{referenceField: to},
			client.UnsafeDisableDeepCopy)
		if err != nil {
			return nil, err
		}
		if len(list.Items) > 0 {
			return &list.Items[0], nil
		}
	}
	return nil, nil
}

// restore puts the backup's images in place and says whether that changed anything.
func restore(pod *corev1.Pod, backup *CheckpointBackup) bool {
	images := map[string]string{}
	for _, built := range backup.Status.BuiltImages {
		images[built.ContainerName] = built.ImageName
	}
	for _, container := range backup.Spec.Containers {
		if container.Image != "" {
			images[container.Name] = container.Image
		}
	}
	changed := false
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		if image, ok := images[container.Name]; ok && image != container.Image {
			container.Image = image
			changed = true
		}
	}
	return changed
}
