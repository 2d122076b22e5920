package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// settingsFile resolves flags from a YAML file of long flag names.
type settingsFile struct {
	path   string
	values map[string]any
}

const configEnv = "ROLLCALL_CONFIG"

// configFile reads the file that --config or ROLLCALL_CONFIG names; nil if neither does.
func configFile(args []string) (*settingsFile, error) {
	path := os.Getenv(configEnv)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			path = value
		} else if arg == "--config" && i+1 < len(args) {
			path = args[i+1]
		}
	}
	if path == "" {
		return nil, nil //nolint:nilnil // no file is no error
	}
	f, err := os.Open(kong.ExpandPath(path)) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	return readSettings(path, f)
}

// maxSettings bounds the file, in bytes: it names some forty settings.
const maxSettings = 1 << 20

func readSettings(path string, r io.Reader) (*settingsFile, error) {
	s := &settingsFile{path: path, values: map[string]any{}}
	text, err := io.ReadAll(io.LimitReader(r, maxSettings+1))
	if err == nil && len(text) > maxSettings {
		err = fmt.Errorf("it is larger than %d bytes", maxSettings)
	}
	if err == nil {
		err = yaml.Unmarshal(text, &s.values)
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", path, err)
	}
	return s, nil
}

// Validate refuses keys that are no setting: a misspelt limit must not go unnoticed.
func (s *settingsFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && isSetting(flag) {
			known[flag.Name] = true
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		// kong would drop the fraction: of a limit, 0.5 would leave 0, which is none.
		if n, ok := s.values[key].(float64); ok {
			return fmt.Errorf("%s: %s: %v is not a whole number", s.path, key, n)
		}
		if !known[key] {
			return fmt.Errorf("%s: %q is not a setting: keys are the long flag names of 'rollcall serve --help' without dashes in front", s.path, key)
		}
	}
	return nil
}

// Resolve implements kong.Resolver. kong asks for every flag that was not typed, also
// where a variable has set it already: the variable wins.
func (s *settingsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isSetting(flag) || slices.ContainsFunc(flag.Envs, isSet) {
		return nil, nil //nolint:nilnil // the file has nothing to say
	}
	return s.values[flag.Name], nil
}

func isSet(variable string) bool {
	_, ok := os.LookupEnv(variable)
	return ok
}
