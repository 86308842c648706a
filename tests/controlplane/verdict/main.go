// Command verdict says what other tools make of Kubernetes objects: kstatus (Flux, kpt, kubectl plugins, cli-utils) and
// Argo CD's health. Both are judged by those tools' own libraries, not by a copy of their rules.
//
// It reads one object as JSON per line from standard input and answers each at once with one line on standard output.
// The line null stands for an object that does not exist.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
)

// maxLine bounds one object, bytes. etcd takes no more than 1.5 MiB by default.
const maxLine = 4 << 20

func main() {
	script := flag.String("health-script", "", "Lua `file` that judges our kinds for Argo CD")
	flag.Parse()
	if err := run(*script, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "verdict:", err)
		os.Exit(1)
	}
}

// run answers until in ends. A line that is not a Kubernetes object is an error that ends it.
func run(scriptFile string, in io.Reader, out io.Writer) error {
	var script []byte
	if scriptFile != "" {
		var err error
		if script, err = os.ReadFile(scriptFile); err != nil {
			return err
		}
	}
	judge := newJudge(string(script))
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	encoder := json.NewEncoder(out)
	for number := 1; lines.Scan(); number++ {
		object, err := parse(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := encoder.Encode(judge.verdict(object)); err != nil {
			return err
		}
	}
	return lines.Err()
}
