// Command controller-runtime-peer is the pod webhook as a Go team would write it: controller-runtime, typed
// objects, CheckpointBackups from an informer's cache. It finds the backup of a pod by listing the namespace, or
// with -indexed by a field index.
package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

func run(port int, certificates string, indexed bool) error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), addToScheme(scheme)); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:        scheme,
		Metrics:       metricsserver.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{Port: port, CertDir: certificates, Host: "127.0.0.1"}),
	})
	if err != nil {
		return err
	}
	// Before the first review, not with it.
	if _, err = manager.GetCache().GetInformer(context.Background(), &CheckpointBackup{}); err != nil {
		return err
	}
	if indexed {
		err = manager.GetFieldIndexer().IndexField(context.Background(), &CheckpointBackup{}, referenceField, reference)
		if err != nil {
			return err
		}
	}
	manager.GetWebhookServer().Register("/mutate-v1-pod", &webhook.Admission{Handler: &podMutator{
		reader: manager.GetCache(), decoder: admission.NewDecoder(scheme), indexed: indexed}})
	return manager.Start(ctrl.SetupSignalHandler())
}

func main() {
	port := flag.Int("port", 9443, "webhook port")
	certificates := flag.String("cert-dir", "", "folder with tls.crt and tls.key")
	indexed := flag.Bool("indexed", false, "look a backup up by a field index instead of listing the namespace")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(*port, *certificates, *indexed); err != nil {
		ctrl.Log.Error(err, "the webhook has failed")
		os.Exit(1)
	}
}
