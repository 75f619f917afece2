// Command apiserver answers lists and watches of CheckpointBackups as kube-apiserver does, for as many as
// a measurement needs. An API server is not in the way of a review, so that its own speed does not matter;
// with 100,000 objects a real one would take minutes to fill.
//
//	POST /control/expire   ends all watches as too old, so that every client lists again
//	GET  /control/listed   when the first page of the last list was asked for, and its last page answered
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	group       = "migration.dcnlab.com"
	backups     = "/apis/" + group + "/v1/checkpointbackups"
	jobs        = "/apis/batch/v1/namespaces/default/jobs/"
	firstNumber = 1000
)

// settings says whose backups there are.
type settings struct {
	count    int
	job      string // that of the review, of which backup 0 is
	uid      string // of that Job
	cronJob  string // owns that Job, and has backup 0; empty: the Job has it
	template []byte
}

type server struct {
	settings
	items   [][]byte
	version string

	mutex   sync.Mutex
	expired chan struct{} // closed when the watches of now end
	asked   time.Time
	listed  time.Time
}

func newServer(s settings) (*server, error) {
	made := &server{settings: s, expired: make(chan struct{}), version: strconv.Itoa(firstNumber + s.count)}
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.template); err != nil {
		return nil, err
	}
	for i := range s.count {
		kind, name, tag := "Job", fmt.Sprintf("other-job-%06d", i), fmt.Sprintf("checkpoint-%d", i)
		if i == 0 {
			kind, name, tag = "Job", s.job, "checkpoint"
			if s.cronJob != "" {
				kind, name = "CronJob", s.cronJob
			}
		}
		item := strings.NewReplacer("$NAME", name, "$KIND", kind, "$TAG", tag,
			"$NUMBER", fmt.Sprintf("%012d", i), "$VERSION", strconv.Itoa(firstNumber+i)).Replace(compact.String())
		made.items = append(made.items, []byte(item))
	}
	return made, nil
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	query := r.URL.Query()
	switch path := r.URL.Path; {
	case path == backups && query.Get("watch") != "":
		s.watch(w, r)
	case path == backups:
		s.list(w, query.Get("limit"), query.Get("continue"))
	case path == jobs+s.job:
		s.getJob(w)
	case path == "/api":
		fmt.Fprint(w, `{"kind":"APIVersions","versions":["v1"]}`)
	case path == "/api/v1":
		fmt.Fprint(w, `{"kind":"APIResourceList","groupVersion":"v1","resources":[]}`)
	case path == "/apis":
		fmt.Fprintf(w, `{"kind":"APIGroupList","apiVersion":"v1","groups":[%s]}`, apiGroup())
	case path == "/apis/"+group:
		fmt.Fprint(w, apiGroup())
	case path == "/apis/"+group+"/v1":
		fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"%s/v1","resources":[`+
			`{"name":"checkpointbackups","singularName":"checkpointbackup","namespaced":true,`+
			`"kind":"CheckpointBackup","verbs":["get","list","watch"]}]}`, group)
	case path == "/control/expire":
		s.expire()
	case path == "/control/listed":
		s.mutex.Lock()
		defer s.mutex.Unlock()
		fmt.Fprintf(w, `{"asked":%f,"listed":%f}`, seconds(s.asked), seconds(s.listed))
	default:
		fail(w, http.StatusNotFound, "NotFound")
	}
}

func seconds(when time.Time) float64 {
	if when.IsZero() {
		return 0
	}
	return float64(when.UnixNano()) / 1e9
}

func apiGroup() string {
	return fmt.Sprintf(`{"kind":"APIGroup","apiVersion":"v1","name":"%[1]s","versions":[{"groupVersion":"%[1]s/v1",`+
		`"version":"v1"}],"preferredVersion":{"groupVersion":"%[1]s/v1","version":"v1"}}`, group)
}

func fail(w http.ResponseWriter, code int, reason string) {
	w.WriteHeader(code)
	fmt.Fprint(w, status(code, reason))
}

func status(code int, reason string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",`+
		`"message":"%[2]s","reason":"%[2]s","code":%[1]d}`, code, reason)
}

func (s *server) list(w http.ResponseWriter, limit, next string) {
	from, _ := strconv.Atoi(next)
	size, _ := strconv.Atoi(limit)
	if size <= 0 || from+size > len(s.items) {
		size = max(len(s.items)-from, 0)
	}
	if from == 0 {
		s.mutex.Lock()
		s.asked = time.Now()
		s.mutex.Unlock()
	}
	var page bytes.Buffer
	fmt.Fprintf(&page, `{"apiVersion":"%s/v1","kind":"CheckpointBackupList","metadata":{"resourceVersion":"%s"`,
		group, s.version)
	if from+size < len(s.items) {
		fmt.Fprintf(&page, `,"continue":"%d","remainingItemCount":%d`, from+size, len(s.items)-from-size)
	}
	page.WriteString(`},"items":[`)
	page.Write(bytes.Join(s.items[from:from+size], []byte(",")))
	page.WriteString("]}\n")
	if from+size == len(s.items) {
		s.mutex.Lock()
		s.listed = time.Now()
		s.mutex.Unlock()
	}
	_, _ = w.Write(page.Bytes())
}

func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		// As a server without the feature WatchList: the client lists instead.
		fail(w, http.StatusUnprocessableEntity, "Invalid")
		return
	}
	s.mutex.Lock()
	expired := s.expired
	s.mutex.Unlock()
	timeout, err := strconv.Atoi(r.URL.Query().Get("timeoutSeconds"))
	if err != nil {
		timeout = 1800
	}
	end := time.After(time.Duration(timeout) * time.Second)
	bookmark := time.NewTicker(30 * time.Second)
	defer bookmark.Stop()
	flusher := w.(http.Flusher)
	flusher.Flush()
	for {
		select {
		case <-bookmark.C:
			fmt.Fprintf(w, `{"type":"BOOKMARK","object":{"apiVersion":"%s/v1","kind":"CheckpointBackup",`+
				`"metadata":{"resourceVersion":"%s"}}}`+"\n", group, s.version)
			flusher.Flush()
		case <-expired:
			fmt.Fprintf(w, `{"type":"ERROR","object":%s}`+"\n", status(http.StatusGone, "Expired"))
			return
		case <-end:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *server) expire() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	close(s.expired)
	s.expired = make(chan struct{})
	s.asked, s.listed = time.Time{}, time.Time{}
}

func (s *server) getJob(w http.ResponseWriter) {
	owners := ""
	if s.cronJob != "" {
		owners = fmt.Sprintf(`,"ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"%s",`+
			`"uid":"0b2c6a6e-6e0c-4a57-9a3f-1c1d7f4b3c11","controller":true,"blockOwnerDeletion":true}]`, s.cronJob)
	}
	fmt.Fprintf(w, `{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"%s","namespace":"default",`+
		`"uid":"%s","resourceVersion":"1"%s},"spec":{},"status":{}}`, s.job, s.uid, owners)
}

func main() {
	var s settings
	folder := flag.String("folder", "", "where kubeconfig is written, once it serves")
	template := flag.String("template", "", "file with a CheckpointBackup")
	flag.IntVar(&s.count, "count", 1, "how many CheckpointBackups")
	flag.StringVar(&s.job, "job", "", "name of the Job with a backup")
	flag.StringVar(&s.uid, "uid", "", "uid of that Job")
	flag.StringVar(&s.cronJob, "cronjob", "", "the backup is of this CronJob, which owns the Job")
	flag.Parse()
	if err := run(s, *template, *folder); err != nil {
		log.Fatal(err)
	}
}

func run(s settings, template, folder string) error {
	var err error
	if s.template, err = os.ReadFile(template); err != nil {
		return err
	}
	handler, err := newServer(s)
	if err != nil {
		return err
	}
	tls, authority, err := newCertificate()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// Renamed, so that nobody reads half of it.
	name := filepath.Join(folder, "kubeconfig")
	if err = os.WriteFile(name+".new", kubeconfig(listener.Addr(), authority), 0o600); err != nil {
		return err
	}
	if err = os.Rename(name+".new", name); err != nil {
		return err
	}
	made := http.Server{Handler: handler, TLSConfig: tls}
	return made.ServeTLS(listener, "", "")
}
