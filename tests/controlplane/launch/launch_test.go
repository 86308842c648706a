package launch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

const testTimeout = time.Minute

// programs is the folder that ../build made.
var programs string

// TestMain builds the executable, or finds it built: what is tested is the program, as its users run it.
func TestMain(m *testing.M) {
	build := exec.Command("../build")
	build.Stderr = os.Stderr
	folder, err := build.Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "../build:", err)
		os.Exit(1)
	}
	programs = strings.TrimSpace(string(folder))
	os.Exit(m.Run())
}

// instance is a running "controlplane up".
type instance struct {
	Info
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer
	temp   string
}

// command prepares "controlplane up" with a folder for temporary files of its own.
func command(t *testing.T, arguments ...string) *instance {
	t.Helper()
	i := &instance{temp: t.TempDir()}
	i.cmd = exec.Command(filepath.Join(programs, "controlplane"), append([]string{"up"}, arguments...)...)
	i.cmd.Env = append(os.Environ(), "TMPDIR="+i.temp, assetsVariable+"=")
	i.cmd.Stderr = &i.stderr
	stdin, err := i.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	i.stdin = stdin
	return i
}

// begin starts it and returns when it says that it is ready.
func (i *instance) begin(t *testing.T) *instance {
	t.Helper()
	stdout, err := i.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := i.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = i.stdin.Close()
		_ = i.cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("no line: %v\n%s", err, i.stderr.String())
	}
	if err := json.Unmarshal(line, &i.Info); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return i
}

// kubectl runs kubectl as the administrator with the given standard input and returns all that it prints.
func (i *instance) kubectl(input string, arguments ...string) (string, error) {
	cmd := exec.Command(i.Kubectl, append([]string{"--kubeconfig", i.Kubeconfig}, arguments...)...)
	cmd.Stdin = strings.NewReader(input)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func (i *instance) must(t *testing.T, input string, arguments ...string) string {
	t.Helper()
	output, err := i.kubectl(input, arguments...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return output
}

// children lists the processes whose parent is this instance, from /proc/PID/stat: "PID (name) state parent …".
func (i *instance) children(t *testing.T) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, file := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if fields := processFields(pid); len(fields) > 1 && fields[1] == strconv.Itoa(i.cmd.Process.Pid) {
			found = append(found, pid)
		}
	}
	return found
}

// processFields returns what follows the name in /proc/PID/stat; nothing for a process that is gone.
func processFields(pid int) []string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
}

// running is false for a zombie too: it has ended, and only waits for whoever has adopted it.
func running(pid int) bool {
	fields := processFields(pid)
	return len(fields) > 0 && fields[0] != "Z"
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, testTimeout, true,
		func(context.Context) (bool, error) { return condition(), nil })
	if err != nil {
		t.Fatalf("not within %s: %s", testTimeout, what)
	}
}

func isEmpty(t *testing.T, dir string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) == 0
}

func TestTwoAtOnceAndTheirEnd(t *testing.T) {
	t.Parallel()
	first, second := command(t).begin(t), command(t).begin(t)
	first.must(t, "", "create", "namespace", "only-here")
	if output, err := second.kubectl("", "get", "namespace", "only-here"); err == nil || !strings.Contains(output, "NotFound") {
		t.Errorf("the second one says %q", output)
	}
	children := first.children(t)
	if len(children) != 3 {
		t.Errorf("children are %v, want 3", children)
	}
	if err := first.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.cmd.Wait(); err != nil {
		t.Errorf("ended with %v\n%s", err, first.stderr.String())
	}
	for _, pid := range children {
		if running(pid) {
			t.Errorf("child %d still runs", pid)
		}
	}
	if !isEmpty(t, first.temp) {
		t.Errorf("%s is not empty", first.temp)
	}
	second.must(t, "", "get", "namespaces")
	if err := second.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := second.cmd.Wait(); err != nil {
		t.Errorf("ended by a signal with %v\n%s", err, second.stderr.String())
	}
	if !isEmpty(t, second.temp) {
		t.Errorf("%s is not empty", second.temp)
	}
}

func TestNoChildOutlivesAKilledLauncher(t *testing.T) {
	t.Parallel()
	i := command(t).begin(t)
	children := i.children(t)
	if len(children) != 3 {
		t.Fatalf("children are %v, want 3", children)
	}
	if err := i.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range children {
		eventually(t, fmt.Sprintf("child %d ends", pid), func() bool { return !running(pid) })
	}
}

func TestAFolderOfTheCallerIsKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "here")
	i := command(t, "--dir", dir).begin(t)
	if i.Dir != dir {
		t.Errorf("dir is %s", i.Dir)
	}
	_ = i.stdin.Close()
	if err := i.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, APIServer+".log")); err != nil {
		t.Error(err)
	}
	again := command(t, "--dir", dir)
	if err := again.cmd.Run(); err == nil || !strings.Contains(again.stderr.String(), "is not empty") {
		t.Errorf("the second time: %v, %s", err, again.stderr.String())
	}
}

// assets makes a folder for KUBEBUILDER_ASSETS of bash scripts, name to body.
func assets(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/usr/bin/env bash\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFailedStartShowsTheLog(t *testing.T) {
	t.Parallel()
	i := command(t)
	i.cmd.Env = append(i.cmd.Env, assetsVariable+"="+assets(t, map[string]string{
		Etcd: "echo this store is out of order; exit 3", APIServer: "exit 4"}))
	output, err := i.cmd.Output()
	if err == nil || i.cmd.ProcessState.ExitCode() != 1 || len(output) > 0 {
		t.Errorf("ended with %v and printed %q", err, output)
	}
	for _, want := range []string{"etcd: exit status 3", "this store is out of order"} {
		if !strings.Contains(i.stderr.String(), want) {
			t.Errorf("%q is not in %s", want, i.stderr.String())
		}
	}
	if !isEmpty(t, i.temp) {
		t.Errorf("%s is not empty", i.temp)
	}
}

func TestAChildThatEndsLaterEndsAll(t *testing.T) {
	t.Parallel()
	i := command(t).begin(t)
	children := i.children(t)
	victim, err := os.FindProcess(children[len(children)-1])
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := i.cmd.Wait(); err == nil || !strings.Contains(i.stderr.String(), "signal: killed") {
		t.Errorf("ended with %v: %s", err, i.stderr.String())
	}
	for _, pid := range children {
		if running(pid) {
			t.Errorf("child %d still runs", pid)
		}
	}
}

func TestProgramsOfKubebuilderAssetsAreUsed(t *testing.T) {
	t.Parallel()
	marks := t.TempDir()
	script := func(program string) string {
		return fmt.Sprintf("touch %s/%s; exec -a %s %s/controlplane \"$@\"", marks, program, program, programs)
	}
	i := command(t)
	i.cmd.Env = append(i.cmd.Env, assetsVariable+"="+assets(t, map[string]string{
		Etcd: script(Etcd), APIServer: script(APIServer), Kubectl: script(Kubectl)}))
	i.begin(t).must(t, "", "get", "namespaces")
	for _, program := range []string{Etcd, APIServer, Kubectl} {
		if _, err := os.Stat(filepath.Join(marks, program)); err != nil {
			t.Errorf("%s was not used", program)
		}
	}
}

func TestKubebuilderAssetsWithoutAnAPIServerIsAnError(t *testing.T) {
	t.Parallel()
	i := command(t)
	i.cmd.Env = append(i.cmd.Env, assetsVariable+"="+assets(t, map[string]string{Etcd: "exit 3"}))
	if err := i.cmd.Run(); err == nil || !strings.Contains(i.stderr.String(), "kube-apiserver") {
		t.Errorf("ended with %v: %s", err, i.stderr.String())
	}
}
