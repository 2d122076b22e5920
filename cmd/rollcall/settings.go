package main

import (
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const variablePrefix = "ROLLCALL_"

// settingVariables names the environment variable of every setting: ROLLCALL_ and the
// flag in capitals. What belongs to one administrative command (a name, a filter,
// --yes) is no setting: it is typed, and nothing left over in an environment or a
// file decides it.
func settingVariables() kong.Option {
	return kong.PostBuild(func(k *kong.Kong) error {
		nameVariables(k.Model.Node)
		for _, command := range k.Model.Children {
			nameVariables(command)
		}
		return nil
	})
}

func nameVariables(node *kong.Node) {
	for _, flag := range node.Flags {
		if slices.Equal(flag.Envs, []string{"-"}) {
			flag.Envs, flag.Tag.Envs = nil, nil // no setting: typed or left out
			continue
		}
		if flag.Name == "help" || len(flag.Envs) > 0 {
			continue
		}
		name := variablePrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		// kong reads the one and prints the other.
		flag.Envs, flag.Tag.Envs = []string{name}, []string{name}
	}
}

// dropEmptyVariables makes an empty variable count as none: to kong it would be a
// value, and where a folder is asked for, the present one.
func dropEmptyVariables() error {
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" || !strings.HasPrefix(name, variablePrefix) {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return nil
}

// isSetting tells whether a flag can also be set by a variable and in the configuration file.
func isSetting(flag *kong.Flag) bool { return len(flag.Envs) > 0 && flag.Envs[0] != configEnv }

// describe adds default and variable to the help of a flag.
func describe(v *kong.Value) string {
	var extra []string
	if v.HasDefault && v.Default != "" && v.Default != "false" {
		extra = append(extra, "default "+v.Default)
	}
	for _, name := range v.Tag.Envs {
		extra = append(extra, "$"+name)
	}
	if len(extra) == 0 {
		return v.Help
	}
	return strings.TrimSuffix(v.Help, ".") + " (" + strings.Join(extra, "; ") + ")."
}
