package main

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func TestAStreamOfObjects(t *testing.T) {
	in := strings.Join([]string{
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`,
		`null`,
		`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","generation":2},"status":{"observedGeneration":1}}`,
		`{"apiVersion":"ado.testops.dev/v1alpha1","kind":"AdoIntegration","metadata":{"name":"a","generation":1},"status":{"observedGeneration":1,"conditions":"none"}}`,
	}, "\n") + "\n"
	want := []string{
		`{"kstatus":"Current","kstatusMessage":"Resource is always ready","argocd":null,"argocdMessage":""}`,
		`{"kstatus":"NotFound","kstatusMessage":"Resource not found","argocd":"Missing","argocdMessage":""}`,
		`{"kstatus":"InProgress",`,
		`{"kstatus":"Unknown",`,
	}
	var out strings.Builder
	if err := run(scriptFile, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(got), len(want), out.String())
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("line %d is %s, want %s", i+1, got[i], want[i])
		}
	}
}

// A test keeps one process and asks it again and again, so an answer may not wait for the end of the stream.
func TestEachAnswerComesBeforeTheNextObject(t *testing.T) {
	objects, ask := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run("", objects, out) }()
	read := bufio.NewReader(answers)
	for range 2 {
		if _, err := io.WriteString(ask, "null\n"); err != nil {
			t.Fatal(err)
		}
		if answer, err := read.ReadString('\n'); err != nil || !strings.Contains(answer, "NotFound") {
			t.Fatalf("got %q, %v", answer, err)
		}
	}
	_ = ask.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestALineThatIsNoObjectEndsTheRun(t *testing.T) {
	for _, line := range []string{"{", "[]", `{"kind":1}`, `{"metadata":{}}`} {
		err := run("", strings.NewReader("null\n"+line+"\n"), &strings.Builder{})
		if err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%s: ended with %v", line, err)
		}
	}
}

func TestAScriptThatIsNotThereIsAnError(t *testing.T) {
	if err := run("no-such-file.lua", strings.NewReader(""), &strings.Builder{}); err == nil {
		t.Error("no error")
	}
}
