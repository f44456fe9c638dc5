// Times one rule in-process with OPA: reads a case (JSON) from standard input, writes
// {"compile_ns", "samples_ns", "result", "peak_kb"} to standard output.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

type benchCase struct {
	Modules map[string]string `json:"modules"`
	Data    map[string]any    `json:"data"`
	Input   any               `json:"input"`
	Rule    string            `json:"rule"`
	Rounds  int               `json:"rounds"`
	Samples int               `json:"samples"`
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var c benchCase
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	fail(decoder.Decode(&c))
	ctx := context.Background()
	runtime.LockOSThread()
	start := nanoseconds()
	options := []func(*rego.Rego){
		rego.Query("x = data." + c.Rule),
		rego.Store(inmem.NewFromObject(c.Data)),
	}
	for name, text := range c.Modules {
		options = append(options, rego.Module(name, text))
	}
	query, err := rego.New(options...).PrepareForEval(ctx)
	fail(err)
	compile := nanoseconds() - start
	// The input is parsed once, outside the measurement, as for the other engines.
	input, err := ast.InterfaceToValue(c.Input)
	fail(err)
	var result any
	once := func() {
		set, err := query.Eval(ctx, rego.EvalParsedInput(input))
		fail(err)
		if len(set) > 0 {
			result = set[0].Bindings["x"]
		}
	}
	once()
	samples := []int64{}
	for sample := 0; sample < c.Samples; sample++ {
		start = nanoseconds()
		for round := 0; round < c.Rounds; round++ {
			once()
		}
		samples = append(samples, (nanoseconds()-start)/int64(c.Rounds))
	}
	fail(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"compile_ns": compile,
		"samples_ns": samples,
		"result":     result,
		"peak_kb":    peakKB(),
	}))
}

// peakKB is the most memory the process ever held, nil where the system does not tell.
func peakKB() any {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	for _, line := range strings.Split(string(status), "\n") {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			if kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "kB"))); err == nil {
				return kb
			}
		}
	}
	return nil
}
