package process

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
)

// Build compiles a package into the file out as it is released: by a profile, without cgo and
// without paths of this machine.
func Build(ctx context.Context, pkg, profile, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-pgo="+profile, "-o", out, pkg) //nolint:gosec // G204: package and profile are constants of the caller
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// Linkage is how a binary depends on the machine it runs on.
type Linkage struct {
	Size int64 // bytes
	// Dynamic counts the segments that ask for an interpreter (ld.so) or libraries; a binary without any runs on each
	// Linux of its architecture, and in an empty container.
	Dynamic int
}

// LinkageOf reads an ELF binary.
func LinkageOf(path string) (Linkage, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Linkage{}, fmt.Errorf("look at the binary: %w", err)
	}
	binary, err := elf.Open(path)
	if err != nil {
		return Linkage{}, fmt.Errorf("read %s as ELF: %w", path, err)
	}
	defer binary.Close() //nolint:errcheck // it is only read
	linkage := Linkage{Size: info.Size()}
	for _, segment := range binary.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			linkage.Dynamic++
		}
	}
	return linkage, nil
}
