// Command controlplane is one component of a Kubernetes control plane: the one that its first argument
// names, or the one whose name it is called by (a link to the binary). One binary for all of them costs
// one link step and a third of the disk that four would.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"

	// Without these the components have no metrics of their HTTP clients and no version metric.
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// run becomes the component `name` and returns whether there is such a component. The components read
// os.Args themselves (kubectl to find its plugins, etcd for its flags), so args replaces it.
func run(name string, args []string) bool {
	os.Args = args
	switch name {
	case "etcd":
		etcdmain.Main(args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	default:
		return false
	}
	return true
}

func main() {
	args := os.Args
	if run(filepath.Base(args[0]), args) {
		return
	}
	if len(args) > 1 && run(args[1], args[1:]) {
		return
	}
	fmt.Fprintln(os.Stderr, "usage: controlplane {etcd|kube-apiserver|kube-controller-manager|kubectl} [flags]")
	os.Exit(2)
}
