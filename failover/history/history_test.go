package history

import (
	"strings"
	"testing"
	"time"
)

func TestAcknowledgedMustBeRead(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	p := New("P", "ACTIVE")
	p.Acknowledged("SUSPENDED", at)
	if err := p.Seen("SUSPENDED", at); err != nil {
		t.Error(err)
	}
	err := p.Seen("ACTIVE", at)
	if err == nil || !strings.Contains(err.Error(), "P: read ACTIVE, possible is [SUSPENDED]") || !strings.Contains(err.Error(), "acknowledged: SUSPENDED") {
		t.Errorf("a lost change went unnoticed: %v", err)
	}
}

func TestNeitherValueIsWrongWhileAChangeIsOpen(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	p := New("P", "ACTIVE")
	p.Unknown("SUSPENDED", at, at.Add(10*time.Second))
	for _, value := range []string{"ACTIVE", "SUSPENDED", "ACTIVE", "SUSPENDED"} { // it may be read from before, and happen later
		if err := p.Seen(value, at.Add(time.Second)); err != nil {
			t.Error(err)
		}
	}
	if p.Settled(at.Add(time.Second)) {
		t.Error("another change could overtake the one that is open")
	}
	if _, certain := p.Certain(); certain {
		t.Error("it is not certain")
	}
	if p.Seen("DELETED", at) == nil {
		t.Error("a value that nobody ever set went unnoticed")
	}
}

func TestAfterItsTimeWhatIsReadIsTrue(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	p := New("P", "ACTIVE")
	p.Unknown("SUSPENDED", at, at.Add(10*time.Second))
	p.Unknown("SUSPENDED", at, at.Add(5*time.Second)) // a shorter doubt does not end a longer one
	if err := p.Seen("ACTIVE", at.Add(9*time.Second)); err != nil {
		t.Error(err)
	}
	if err := p.Seen("SUSPENDED", at.Add(10*time.Second)); err != nil {
		t.Error(err)
	}
	if value, certain := p.Certain(); !certain || value != "SUSPENDED" {
		t.Errorf("got %s, %t", value, certain)
	}
	if p.Seen("ACTIVE", at.Add(11*time.Second)) == nil {
		t.Error("a value that came back went unnoticed")
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	t.Parallel()
	p := New("P", 0)
	for i := range 10 * maxRecord {
		p.Acknowledged(i, time.Unix(int64(i), 0))
	}
	if len(p.record) != maxRecord {
		t.Errorf("%d events are kept", len(p.record))
	}
}
