package sharedlimit_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

func TestValkeyConforms(t *testing.T) {
	t.Parallel()
	conforms(t, func() sharedlimit.Store { return valkeyStore(t, valkeytest.Shared(t).URL(), patient) })
}
