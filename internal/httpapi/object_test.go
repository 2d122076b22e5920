package httpapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/fault"
)

func TestReadObject(t *testing.T) {
	t.Parallel()
	text := func(s string) field { return field{shape: isText, text: s} }
	for body, want := range map[string]object{
		` { } `:                           {},
		`{"a":"x","b":["y","z"]}`:         {"a": text("x"), "b": {shape: isList, list: []string{"y", "z"}}},
		`{"a":null,"b":[]}`:               {"a": {}, "b": {shape: isList}},
		`{"\u0061":"\u00fc\ud83e\udd89"}`: {"a": text("ü🦉")},
		"{\"a\":\"\uFFFD\"}":              {"a": text("\uFFFD")},
		`{"a":"\uFFFD"}`:                  {"a": text("\uFFFD")},
	} {
		got, err := readObject(body, "a", "b")
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(field{})); err != nil || diff != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", body, err, diff)
		}
	}
	for body, says := range map[string]string{
		"":                          "one JSON object",
		`{`:                         "one JSON object",
		`null`:                      "one JSON object",
		`"a"`:                       "one JSON object",
		`[{"a":"x"}]`:               "one JSON object",
		`{} {}`:                     "one JSON object",
		`{}x`:                       "one JSON object",
		`{"a":"x",}`:                "one JSON object",
		`{'a':"x"}`:                 "one JSON object",
		"{\"a\":\"\xff\"}":          "UTF-8",
		`{"a":"\ud800"}`:            "a holds half",
		`{"b":["\udc00"]}`:          "b holds half",
		`{"a":1}`:                   "a must be",
		`{"a":true}`:                "a must be",
		`{"a":{}}`:                  "a must be",
		`{"b":[1]}`:                 "b must be",
		`{"b":[["x"]]}`:             "b must be",
		`{"b":[null]}`:              "b must be",
		`{"a":"x","a":"x"}`:         "a is repeated",
		`{"a":null,"\u0061":null}`:  "a is repeated",
		`{"A":"x"}`:                 `"A" is not a field`,
		`{"c\n":"x"}`:               `"c\n" is not a field`,
		strings.Repeat("[", 30_000): "one JSON object",
		`{"a":` + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + `}`: "a must be",
		`{"b":["x"` + strings.Repeat(`,"x"`, maxList) + `]}`:                    "at most 32",
		`{"` + strings.Repeat("n", 5000) + `":"x"}`:                             "is not a field",
	} {
		o, err := readObject(body, "a", "b")
		if fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), says) || len(err.Error()) > 300 {
			t.Errorf("%.60s: got %v, error %v, want one that says %q", body, o, err, says)
		}
	}
}

// TestObjectsReadBack: whatever is written with encoding/json reads back as it was.
func TestObjectsReadBack(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{}
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "names") {
			switch rapid.SampledFrom([]string{"null", "text", "list"}).Draw(t, "shape") {
			case "null":
				want[name] = nil
			case "text":
				want[name] = rapid.String().Draw(t, "text")
			case "list":
				want[name] = rapid.SliceOfN(rapid.String(), 0, maxList).Draw(t, "list")
			}
		}
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		o, err := readObject(string(body), names...)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got := plainOf(o); !cmp.Equal(want, got) {
			t.Fatalf("%s: %s", body, cmp.Diff(want, got))
		}
	})
}

// plainOf is an object as encoding/json takes it.
func plainOf(o object) map[string]any {
	plain := map[string]any{}
	for name, f := range o {
		switch f.shape {
		case isNull:
			plain[name] = nil
		case isText:
			plain[name] = f.text
		case isList:
			plain[name] = append([]string{}, f.list...)
		}
	}
	return plain
}

// FuzzObject: what is read is what the standard library reads, and holds nothing unknown;
// what that refuses, or reads only by leaving something out, is refused.
func FuzzObject(f *testing.F) {
	for _, body := range []string{
		"", "{}", `{"a":"x"}`, `{"a":null,"b":["x"]}`, `{"a":"x","a":"y"}`, `{"c":1}`, `[]`, `{"a":{}}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{} x`,
	} {
		f.Add(body)
	}
	known := []string{"a", "b"}
	f.Fuzz(func(t *testing.T, body string) {
		o, err := readObject(body, known...)
		if err != nil {
			if fault.KindOf(err) != fault.KindInvalid {
				t.Fatalf("%q: got error %v, want one of kind Invalid", body, err)
			}
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("%q is read, though %v", body, err)
		}
		for name, v := range want { // lists of strings, as the library has them
			if list, ok := v.([]any); ok {
				texts := []string{}
				for _, v := range list {
					texts = append(texts, v.(string))
				}
				want[name] = texts
			}
		}
		if got := plainOf(o); !cmp.Equal(want, got) {
			t.Fatalf("%q: %s", body, cmp.Diff(want, got))
		}
		for name := range maps.Keys(o) {
			if !slices.Contains(known, name) {
				t.Fatalf("%q: %q is not known", body, name)
			}
		}
	})
}
