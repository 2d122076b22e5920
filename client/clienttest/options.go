package clienttest

import (
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// Option changes what a server begins with.
type Option func(*settings)

type settings struct {
	users        []User
	provisioning directory.Provisioning
	permissions  []string
	management   bool
	limits       throttle.Settings
	lifetime     time.Duration
	now          func() time.Time
}

// What sort of member a person is; see User.Type.
const (
	Member            = string(directory.Member)
	Guest             = string(directory.Guest)
	ExternallyManaged = string(directory.ExternallyManaged)
)

// StatePending is the state of a person who was invited and has not confirmed: the
// API neither lists nor finds them.
const StatePending = client.State(directory.Pending)

// Owners is the group of an account's owners, the last active one of whom can't be
// suspended.
const Owners = directory.Owners

// User is a person to begin with. Fields left out are filled in: an id is made, the
// address and the name are made of it, and the person is an active member, created
// just now, after those who were named before.
type User struct {
	ID, Email, DisplayName string
	State                  client.State
	Type                   string // Member, Guest or ExternallyManaged
	Groups                 []string
	CreateTime             time.Time
}

// WithUser adds a person.
func WithUser(u User) Option { return func(s *settings) { s.users = append(s.users, u) } }

// WithUsers adds n active members, "user-00001@example.com" and so on, with ids to
// match ("USER-00001"), created a second apart from 2024 on.
func WithUsers(n int) Option {
	return func(s *settings) {
		first := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
		for i := range n {
			s.users = append(s.users, User{
				ID:          fmt.Sprintf("USER-%05d", i+1),
				Email:       fmt.Sprintf("user-%05d@example.com", i+1),
				DisplayName: fmt.Sprintf("User %d", i+1),
				CreateTime:  first.Add(time.Duration(i) * time.Second),
			})
		}
	}
}

// WithAutomatedProvisioning makes the account leave suspensions to its directory:
// the API refuses them.
func WithAutomatedProvisioning() Option {
	return func(s *settings) { s.provisioning = directory.RefuseProvisioning }
}

// WithPermissions gives the application these permissions only; without it, all those
// on people.
func WithPermissions(permissions ...api.Permission) Option {
	return func(s *settings) {
		for _, p := range permissions {
			s.permissions = append(s.permissions, string(p))
		}
	}
}

// WithManagement gives the application the permissions to manage applications, beside
// those it has: without it, Client.Applications is refused.
func WithManagement() Option { return func(s *settings) { s.management = true } }

// WithManagementLimits limits the reads and the writes of applications a minute; 0 =
// no limit. The published limits are 60 and 10.
func WithManagementLimits(readsPerMinute, writesPerMinute int) Option {
	return func(s *settings) {
		s.limits.ManagementReadsPerMinute, s.limits.ManagementWritesPerMinute = readsPerMinute, writesPerMinute
	}
}

// WithLimits limits the requests on users a minute and an hour; 0 = no limit. The
// published limits are 100 and 6000.
func WithLimits(perMinute, perHour int) Option {
	return func(s *settings) { s.limits.UsersPerMinute, s.limits.UsersPerHour = perMinute, perHour }
}

// WithTokenLifetime changes how long access tokens live, in whole seconds; it is
// 900 s.
func WithTokenLifetime(d time.Duration) Option { return func(s *settings) { s.lifetime = d } }

// WithClock gives the server another clock, so that a test can let tokens expire
// and limits pass. It must be safe for concurrent use.
func WithClock(now func() time.Time) Option { return func(s *settings) { s.now = now } }

func (s *settings) permissionSet() (access.Set, error) {
	set, err := access.AllUsers, error(nil)
	if len(s.permissions) > 0 {
		set, err = access.ParseSet(s.permissions)
	}
	if s.management {
		set |= access.Set(access.ReadApplications | access.WriteApplications)
	}
	return set, err
}

// people returns the users as the directory takes them.
func (s *settings) people(core *node.Core, account ident.AccountID) ([]directory.User, error) {
	people := make([]directory.User, len(s.users))
	// A microsecond apart, so that lists have the order of the options.
	first := s.now().Add(-time.Duration(len(s.users)) * time.Microsecond)
	for i, u := range s.users {
		p := directory.User{
			ID: ident.UserID(u.ID), Account: account, Email: ident.Email(u.Email), DisplayName: u.DisplayName,
			State: directory.State(u.State), Type: directory.Type(u.Type), Groups: u.Groups, CreateTime: u.CreateTime,
		}
		if p.ID == "" {
			id, err := ident.NewUserID(core.Directory.Rand)
			if err != nil {
				return nil, err
			}
			p.ID = id
		}
		if p.Email == "" {
			p.Email = ident.Email(p.ID) + "@example.com"
		}
		if p.DisplayName == "" {
			p.DisplayName = string(p.Email)
		}
		if err := core.Directory.Complete(&p, first.Add(time.Duration(i)*time.Microsecond)); err != nil {
			return nil, fmt.Errorf("user %d (%s): %w", i+1, p.Email, err)
		}
		people[i] = p
	}
	return people, nil
}
