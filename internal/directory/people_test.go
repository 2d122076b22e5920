package directory_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store"
)

// crew is an account with somebody of every rank, each as a caller.
type crew struct {
	*testing.T
	store *store.Store
	s     *directory.Service
}

const ship ident.AccountID = "SHIP"

// manned is the database of a crew, made once: to make it again for each test would take most
// of their time.
var manned = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "rollcall-crew-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a copy is kept in memory
	st, err := store.Open(context.Background(), store.Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(man(context.Background(), service(st)), st.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.File))
})

func service(st *store.Store) *directory.Service {
	var mu sync.Mutex
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	clock := func() time.Time { // entry ids sort by it
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Millisecond)
		return now
	}
	return &directory.Service{Store: st, Keys: page.NewKeyring(st, clock, rand.Reader), Now: clock, Rand: rand.Reader}
}

func man(ctx context.Context, s *directory.Service) error {
	if _, err := s.CreateAccount(ctx, boss, directory.Account{ID: ship, Name: "Ship"}); err != nil {
		return err
	}
	for id, groups := range map[ident.UserID][]string{
		"owner": {directory.Owners}, "owner2": {directory.Owners}, "admin": {directory.Administrators}, "admin2": {directory.Administrators},
		"guard": {directory.Security}, "hand": {"crew"}, "former": {directory.Owners},
	} {
		u := directory.User{ID: id, Email: ident.Email(id + "@example.com"), DisplayName: string(id), Groups: groups}
		if id == "former" {
			u.State = directory.Suspended
		}
		if _, err := s.AddUser(ctx, boss, ship, u); err != nil {
			return err
		}
	}
	return nil
}

func newCrew(t *testing.T) *crew {
	t.Helper()
	file, err := manned()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.File), file, 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	s := service(st)
	for range 100 { // on from where the template's clock ended
		s.Now()
	}
	return &crew{t, st, s}
}

var boss = access.Caller{Kind: access.Operator, Name: "boss"}

// as is somebody of the crew as a caller.
func (c *crew) as(id ident.UserID) access.Caller {
	c.Helper()
	u, err := c.s.Person(c.Context(), boss, ship, id)
	if err != nil {
		c.Fatal(err)
	}
	return access.Caller{Kind: access.Person, Account: ship, User: id, Permissions: access.RolePermissions(u.Groups)}
}

// deed is something done to people, by a caller to a target.
type deed func(*crew, access.Caller, ident.UserID) error

var deeds = map[string]deed{
	"suspend": func(c *crew, by access.Caller, who ident.UserID) error {
		_, err := c.s.Suspend(c.Context(), by, ship, who)
		return err
	},
	"reactivate": func(c *crew, by access.Caller, who ident.UserID) error {
		_, err := c.s.Reactivate(c.Context(), by, ship, who)
		return err
	},
	"edit": func(c *crew, by access.Caller, who ident.UserID) error {
		email := "new." + string(who) + "@example.com"
		_, err := c.s.EditUser(c.Context(), by, ship, who, directory.UserPatch{Email: &email})
		return err
	},
	"make externally managed": func(c *crew, by access.Caller, who ident.UserID) error {
		kind := directory.ExternallyManaged
		_, err := c.s.EditUser(c.Context(), by, ship, who, directory.UserPatch{Type: &kind})
		return err
	},
	"remove": func(c *crew, by access.Caller, who ident.UserID) error {
		return c.s.RemoveUser(c.Context(), by, ship, who)
	},
	"make owner":         member(directory.Owners),
	"make administrator": member(directory.Administrators),
	"make security":      member(directory.Security),
	"put into a group":   member("rowers"),
	"see": func(c *crew, by access.Caller, who ident.UserID) error {
		_, err := c.s.Person(c.Context(), by, ship, who)
		return err
	},
}

func member(group string) deed {
	return func(c *crew, by access.Caller, who ident.UserID) error {
		_, err := c.s.SetMember(c.Context(), by, ship, who, group, true)
		return err
	}
}

// TestWhoMayDoWhatToWhom: every deed by every rank to every rank. A row says to whom it is
// allowed; all else is the one denial, and in the record.
func TestWhoMayDoWhatToWhom(t *testing.T) {
	t.Parallel()
	everybody := "owner owner2 admin admin2 guard hand former"
	notOwners := "admin admin2 guard hand"
	allowed := map[string]map[ident.UserID]string{
		"suspend":                 {"owner": "owner2 admin admin2 guard hand former", "admin": "owner owner2 admin2 guard hand former"},
		"reactivate":              {"owner": everybody, "admin": everybody},
		"edit":                    {"owner": everybody, "admin": notOwners},
		"make externally managed": {"owner": everybody},
		"remove":                  {"owner": "owner2 admin admin2 guard hand former", "admin": "admin2 guard hand"},
		"make owner":              {"owner": everybody},
		"make administrator":      {"owner": everybody, "admin": notOwners},
		"make security":           {"owner": everybody, "admin": notOwners},
		"put into a group":        {"owner": everybody, "admin": notOwners},
		"see":                     {"owner": everybody, "admin": everybody, "guard": "guard", "hand": "hand"},
	}
	for name, do := range deeds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, by := range []ident.UserID{"owner", "admin", "guard", "hand"} {
				for _, who := range strings.Fields(everybody) {
					c := newCrew(t)
					err := do(c, c.as(by), ident.UserID(who))
					want := contains(allowed[name][by], who)
					if (err == nil) != want {
						t.Errorf("by %s to %s: got %v, want allowed = %t", by, who, err, want)
					}
					itself := string(by) == who && (name == "suspend" || name == "remove") && by != "guard" && by != "hand"
					if err != nil && err.Error() != access.Denied && !itself && !strings.HasPrefix(err.Error(), access.Denied+":") {
						t.Errorf("by %s to %s: got %q, want the one denial", by, who, err)
					}
					if itself && fault.As(err).Message != directory.NotYourself {
						t.Errorf("by %s to themselves: got %v", by, err)
					}
				}
			}
		})
	}
}

func contains(list, name string) bool { return strings.Contains(" "+list+" ", " "+name+" ") }

// TestDenialsAreRecorded: also those that only the standing showed.
func TestDenialsAreRecorded(t *testing.T) {
	t.Parallel()
	c := newCrew(t)
	if err := c.s.RemoveUser(t.Context(), c.as("admin"), ship, "owner"); fault.KindOf(err) != fault.KindForbidden {
		t.Fatal(err)
	}
	got, err := c.store.Entries(t.Context(), ship, "", 1)
	if err != nil || got[0].Action != audit.UserRemove || got[0].Outcome != audit.Denied || got[0].Actor != "admin" ||
		got[0].Target != "owner" || got[0].Detail != "the person lacks owners.manage" {
		t.Errorf("got %+v (%v)", got, err)
	}
}

// TestAddingPeople: who may add whom, and what they may not choose.
func TestAddingPeople(t *testing.T) {
	t.Parallel()
	c := newCrew(t)
	ctx := t.Context()
	given := directory.User{ID: "CHOSEN", Email: "n@example.com", DisplayName: "N", State: directory.Pending, CreateTime: time.Unix(0, 0), Groups: []string{directory.Security}}
	got, err := c.s.AddUser(ctx, c.as("admin"), ship, given)
	if err != nil || got.ID == "CHOSEN" || got.CreateTime.Year() != 2026 || got.State != directory.Pending {
		t.Errorf("got %+v, %v: a person chooses ids or times", got, err)
	}
	for what, u := range map[string]directory.User{
		"an owner":            {Email: "o@example.com", DisplayName: "O", Groups: []string{directory.Owners}},
		"externally managed":  {Email: "o@example.com", DisplayName: "O", Type: directory.ExternallyManaged},
		"an owner, among all": {Email: "o@example.com", DisplayName: "O", Groups: []string{"a", directory.Owners, "b"}},
	} {
		if _, err := c.s.AddUser(ctx, c.as("admin"), ship, u); fault.KindOf(err) != fault.KindForbidden {
			t.Errorf("%s by an administrator: %v", what, err)
		}
		u.Email = ident.Email(strings.ReplaceAll(what, " ", "") + "@example.com")
		u.Email = ident.Email(strings.ReplaceAll(string(u.Email), ",", ""))
		if _, err := c.s.AddUser(ctx, c.as("owner"), ship, u); err != nil {
			t.Errorf("%s by an owner: %v", what, err)
		}
	}
	for _, by := range []ident.UserID{"guard", "hand"} {
		if _, err := c.s.AddUser(ctx, c.as(by), ship, given); fault.KindOf(err) != fault.KindForbidden {
			t.Errorf("by %s: %v", by, err)
		}
	}
	_, err = c.s.AddUser(ctx, c.as("owner"), ship, directory.User{Email: "x@example.com", DisplayName: "X", Groups: []string{" Owners "}})
	if fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a group that looks like a role's: %v", err)
	}
}

// TestRemovalRefused: who can't be suspended can't be removed either.
func TestRemovalRefused(t *testing.T) {
	t.Parallel()
	c := newCrew(t)
	ctx := t.Context()
	if _, err := c.s.AddUser(ctx, boss, ship, directory.User{ID: "eam", Email: "eam@example.com", DisplayName: "E", Type: directory.ExternallyManaged}); err != nil {
		t.Fatal(err)
	}
	refused := func(who ident.UserID, want string) {
		t.Helper()
		if f := fault.As(c.s.RemoveUser(ctx, boss, ship, who)); f == nil || f.Kind != fault.KindForbidden || f.Message != want {
			t.Errorf("remove %s: got %v, want %s", who, f, want)
		}
	}
	refused("eam", directory.IsExternallyManaged)
	if err := c.s.RemoveUser(ctx, boss, ship, "owner2"); err != nil {
		t.Fatal(err)
	}
	refused("owner", directory.NoOwnerRemains)
	if err := c.s.RemoveUser(ctx, boss, ship, "former"); err != nil {
		t.Errorf("an owner who is suspended: %v", err)
	}
	refuse := directory.RefuseProvisioning
	if _, err := c.s.EditAccount(ctx, boss, ship, directory.AccountPatch{Provisioning: &refuse}); err != nil {
		t.Fatal(err)
	}
	refused("hand", directory.AutomatedProvisioner)
}

// TestOddQueries: what can't be meant is refused, and nothing breaks the database.
func TestOddQueries(t *testing.T) {
	t.Parallel()
	c := newCrew(t)
	for _, q := range []directory.PeopleQuery{
		{Limit: -1}, {Limit: directory.MaxPeople + 1}, {Text: "\x00"}, {Text: strings.Repeat("a", directory.MaxSearch+1)}, {Text: "\xff"},
		{Group: "a\x00"}, {Group: strings.Repeat("g", 1000)}, {After: page.Position{ID: "\x00"}},
	} {
		if _, err := c.s.People(t.Context(), boss, ship, q); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: got %v, want it refused", q, err)
		}
	}
	for _, q := range []directory.PeopleQuery{{State: "\x00"}, {Type: "nonsense"}, {Text: "'\"%_\\"}} {
		if p, err := c.s.People(t.Context(), boss, ship, q); err != nil || len(q.Words()) > 0 && len(p.People) != 0 {
			t.Errorf("%+v: got %v, %v", q, p, err)
		}
	}
	name := "bad\x00name"
	if _, err := c.s.EditUser(t.Context(), boss, ship, "hand", directory.UserPatch{DisplayName: &name}); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a name with NUL: %v", err)
	}
	for _, id := range []ident.UserID{"", "nobody", "\x00", ident.UserID(strings.Repeat("x", 5000))} {
		if _, err := c.s.Person(t.Context(), boss, ship, id); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("person %.10q: %v", id, err)
		}
		if err := c.s.RemoveUser(t.Context(), boss, ship, id); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("remove %.10q: %v", id, err)
		}
	}
}

func TestSearchWords(t *testing.T) {
	t.Parallel()
	u := directory.User{DisplayName: "Åsa  O'Neill-Müller ÅSA", Email: "asa.oneill+x@Mail.example.com"}
	want := []string{"asa", "o", "neill", "muller", "oneill", "x", "mail", "example", "com"}
	if diff := cmp.Diff(want, directory.SearchWords(u)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// FuzzSearch: whatever is typed, words are few, short, valid and found again by themselves.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"", "ada", "Ådä \x00 \xff", strings.Repeat("ö", 100), strings.Repeat("a b", 100), "ﬀ İ ǅ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := directory.PeopleQuery{Text: text}
		words := q.Words()
		if len(words) > 24 {
			t.Fatalf("%d words", len(words))
		}
		for _, w := range words {
			if w == "" || len(w) > 32 || !utf8.ValidString(w) {
				t.Fatalf("%q gives the word %q", text, w)
			}
		}
		if fits := q.Fits(); len(text) < 200 && !fits(directory.User{DisplayName: text, Email: "x@example.com"}, false) && len(words) < 20 {
			t.Errorf("%q does not find who is called so: %q", text, words)
		}
	})
}
