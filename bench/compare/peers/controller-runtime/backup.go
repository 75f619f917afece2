package main

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "migration.dcnlab.com", Version: "v1"}

func addToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(groupVersion, &CheckpointBackup{}, &CheckpointBackupList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	return nil
}

type ResourceRef struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace,omitempty"`
}

type Container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

type BuiltImage struct {
	ContainerName string `json:"containerName"`
	ImageName     string `json:"imageName"`
}

type CheckpointBackupSpec struct {
	ResourceRef ResourceRef `json:"resourceRef"`
	Containers  []Container `json:"containers,omitempty"`
}

type CheckpointBackupStatus struct {
	BuiltImages []BuiltImage `json:"builtImages,omitempty"`
}

type CheckpointBackup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              CheckpointBackupSpec   `json:"spec"`
	Status            CheckpointBackupStatus `json:"status,omitzero"`
}

type CheckpointBackupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []CheckpointBackup `json:"items"`
}

func (in *CheckpointBackup) DeepCopyObject() runtime.Object {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Containers = slices.Clone(in.Spec.Containers)
	out.Status.BuiltImages = slices.Clone(in.Status.BuiltImages)
	return &out
}

func (in *CheckpointBackupList) DeepCopyObject() runtime.Object {
	out := *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]CheckpointBackup, len(in.Items))
	for i := range in.Items {
		out.Items[i] = *in.Items[i].DeepCopyObject().(*CheckpointBackup)
	}
	return &out
}
