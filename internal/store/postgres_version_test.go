package store

import "testing"

// TestTooOld: versions as server_version_num has them.
func TestTooOld(t *testing.T) {
	t.Parallel()
	for number, want := range map[int]string{
		90624:  "the server is PostgreSQL 9: 15 or newer is needed",
		140019: "the server is PostgreSQL 14: 15 or newer is needed",
		150000: "", 150018: "", 180004: "", 990000: "",
	} {
		got := ""
		if err := tooOld(number); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d: got %q, want %q", number, got, want)
		}
	}
}
