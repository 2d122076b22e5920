package main

import (
	"strings"
	"testing"
)

// events writes one event a line.
func events(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

func TestRun(t *testing.T) {
	t.Parallel()
	const (
		start = `{"Action":"start","Package":"p"}`
		ok    = `{"Action":"output","Package":"p","Output":"ok  \tp\t0.01s\n"}`
		pass  = `{"Action":"pass","Package":"p","Elapsed":0.01}`
		bad   = `{"Action":"output","Package":"p","Output":"FAIL\tp\t0.01s\n"}`
		fail  = `{"Action":"fail","Package":"p","Elapsed":0.01}`
		runA  = `{"Action":"run","Package":"p","Test":"TestA"}`
		sayA  = `{"Action":"output","Package":"p","Test":"TestA","Output":"said by A\n"}`
		passA = `{"Action":"pass","Package":"p","Test":"TestA"}`
		skipA = `{"Action":"skip","Package":"p","Test":"TestA"}`
		failA = `{"Action":"fail","Package":"p","Test":"TestA"}`
		passB = `{"Action":"pass","Package":"p","Test":"TestB"}`
	)
	tests := map[string]struct {
		in       string
		strict   bool
		wantOut  string
		wantCode int
	}{
		"a pass shows the verdict and hides the output": {
			in:      events(start, runA, sayA, passA, ok, pass),
			wantOut: "ok  \tp\t0.01s\n1 passed, 0 failed, 0 skipped\n",
		},
		"a failure shows the output": {
			in:       events(start, runA, `{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}`, sayA, failA, bad, fail),
			wantOut:  "said by A\nFAIL\tp\t0.01s\nFAIL: no test passed; run go test by hand to see why\n0 passed, 1 failed, 0 skipped\n",
			wantCode: 1,
		},
		"one failure among passes fails": {
			in:       events(start, passB, runA, sayA, failA, bad, fail),
			wantOut:  "said by A\nFAIL\tp\t0.01s\n1 passed, 1 failed, 0 skipped\n",
			wantCode: 1,
		},
		"a skip is shown": {
			in:      events(start, passB, runA, sayA, skipA, ok, pass),
			wantOut: "said by A\nok  \tp\t0.01s\n1 passed, 0 failed, 1 skipped\n",
		},
		"a skip fails where it must": {
			in:     events(start, passB, runA, sayA, skipA, ok, pass),
			strict: true,
			wantOut: "said by A\nok  \tp\t0.01s\n" +
				"FAIL: tests were skipped, and in CI a skipped test is a failure; each is named above\n1 passed, 0 failed, 1 skipped\n",
			wantCode: 1,
		},
		"a package without tests is no skip": {
			in: events(start, passB, ok, pass,
				`{"Action":"output","Package":"q","Output":"?   \tq\t[no test files]\n"}`, `{"Action":"skip","Package":"q"}`),
			strict:  true,
			wantOut: "ok  \tp\t0.01s\n?   \tq\t[no test files]\n1 passed, 0 failed, 0 skipped\n",
		},
		"a test cut off by a crash fails": {
			in:       events(start, passB, runA, sayA, bad, fail),
			wantOut:  "--- FAIL: TestA (did not end)\nsaid by A\nFAIL\tp\t0.01s\n1 passed, 1 failed, 0 skipped\n",
			wantCode: 1,
		},
		"a package that fails on its own is one failure": {
			in:       events(start, passB, `{"Action":"output","Package":"p","Output":"found goroutines\n"}`, bad, fail),
			wantOut:  "found goroutines\nFAIL\tp\t0.01s\n1 passed, 1 failed, 0 skipped\n",
			wantCode: 1,
		},
		"a failed build shows the compiler's words": {
			in: events(`{"ImportPath":"p [p.test]","Action":"build-output","Output":"p.go:1:1: broken\n"}`,
				`{"ImportPath":"p [p.test]","Action":"build-fail"}`, start,
				`{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}`,
				`{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
				`{"Action":"pass","Package":"q","Test":"TestB"}`, `{"Action":"output","Package":"q","Output":"ok  \tq\n"}`,
				`{"Action":"pass","Package":"q"}`),
			wantOut:  "p.go:1:1: broken\nFAIL\tp [build failed]\nok  \tq\n1 passed, 1 failed, 0 skipped\n",
			wantCode: 1,
		},
		"a run that breaks off fails": {
			in:       events(start, passB),
			wantOut:  "FAIL\tp (the run ended before it did)\n1 passed, 1 failed, 0 skipped\n",
			wantCode: 1,
		},
		"no test at all fails": {
			wantOut:  "FAIL: no test passed; run go test by hand to see why\n0 passed, 0 failed, 0 skipped\n",
			wantCode: 1,
		},
		"other lines are shown": {
			in:      events("go: downloading x", `{"half`, start, passB, ok, pass),
			wantOut: "go: downloading x\n{\"half\nok  \tp\t0.01s\n1 passed, 0 failed, 0 skipped\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			code := run(strings.NewReader(tt.in), &out, tt.strict)
			if got := out.String(); got != tt.wantOut || code != tt.wantCode {
				t.Errorf("exit code %d, want %d; output:\n--- got\n%s--- want\n%s", code, tt.wantCode, got, tt.wantOut)
			}
		})
	}
}
