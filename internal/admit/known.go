package admit

import "sync/atomic"

// Known remembers of which application credentials were, once they have counted, so
// that a request's lane is known before anything is looked up. It says nothing about
// whether they still count, and forgets as it pleases. Credentials that have not counted
// yet have the lane of their address: inventing many wins nothing.
//
// All keys are hashes by a secret seed: nobody can aim at another's lane. It is safe for
// concurrent use.
type Known struct {
	entries [knownEntries]atomic.Pointer[entry]
}

// knownEntries is how many are remembered at most: 64 KiB of pointers and 128 KiB of entries.
const knownEntries = 8192

type entry struct {
	credentials uint64
	lane        Lane
}

// strangerLanes is how many lanes those share whose credentials are not known: all of
// them together, from however many addresses, have the turns of so many applications.
const strangerLanes = 16

// application marks the lanes of applications, so that no stranger meets one there.
const application Lane = 1 << 63

// LaneOf returns the lane of an application by the hash of its id.
func LaneOf(id uint64) Lane { return Lane(id) | application }

// Stranger returns the lane of an address by its hash.
func Stranger(address uint64) Lane { return Lane(address % strangerLanes) }

// Lane returns the lane of credentials, by their hash, if they are known.
func (k *Known) Lane(credentials uint64) (Lane, bool) {
	e := k.entries[credentials%knownEntries].Load()
	if e == nil || e.credentials != credentials {
		return 0, false
	}
	return e.lane, true
}

// Learn remembers whose credentials are that have counted.
func (k *Known) Learn(credentials uint64, l Lane) {
	at := &k.entries[credentials%knownEntries]
	if e := at.Load(); e != nil && e.credentials == credentials && e.lane == l {
		return
	}
	at.Store(&entry{credentials, l})
}
