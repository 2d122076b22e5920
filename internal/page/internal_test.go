package page

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
)

// What seal refuses to write is written around it here, as a newer build might.
func TestCursorRefusesWhatThisBuildDoesNotKnow(t *testing.T) {
	t.Parallel()
	good := Cursor{Filter: filter.Suspended, Size: MaxSize, After: Position{ID: "U"}}
	if got, err := cursor(plaintext(good, time.Unix(0, 0))); err != nil || got.Size != good.Size {
		t.Fatalf("cursor = %v, %v", got, err)
	}
	unknown, empty, large := good, good, good
	unknown.Filter, empty.Size, large.Size = filter.Suspended+1, 0, MaxSize+1
	for _, c := range []Cursor{unknown, empty, large} {
		if got, err := cursor(plaintext(c, time.Unix(0, 0))); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("cursor of %v = %v, %v; want an invalid fault", c, got, err)
		}
	}
}
