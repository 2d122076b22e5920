package throttle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Class is a family of requests that share a policy. The list is closed; the zero
// value is no class.
type Class uint8

// The classes, with what their subjects are.
const (
	ClassUsers           Class = iota + 1 // Users API, per application
	ClassToken                            // token and revoke, per application
	ClassAuthFailures                     // failed authentication, per network address
	ClassManagementRead                   // reads of OAuth applications, per acting principal
	ClassManagementWrite                  // writes of OAuth applications, per acting principal
	ClassSignInAddress                    // failed sign-ins of people, per network address
	ClassSignInPerson                     // failed sign-ins, per person who is claimed
	ClassSignInBegin                      // sign-ins begun with a passkey or an issuer, per network address
	ClassConsole                          // pages and forms of the console, per person
	classEnd
)

var classNames = [classEnd]string{
	ClassUsers:           "users",
	ClassToken:           "token",
	ClassAuthFailures:    "auth_failures",
	ClassManagementRead:  "management_read",
	ClassManagementWrite: "management_write",
	ClassSignInAddress:   "sign_in_address",
	ClassSignInPerson:    "sign_in_person",
	ClassSignInBegin:     "sign_in_begin",
	ClassConsole:         "console",
}

// Classes returns every class.
func Classes() []Class {
	list := make([]Class, 0, classEnd-1)
	for c := Class(1); c < classEnd; c++ {
		list = append(list, c)
	}
	return list
}

// String gives the stable name used in stores, metrics and the audit trail.
func (c Class) String() string {
	if c.known() {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

func (c Class) known() bool { return c > 0 && c < classEnd }

// Bounds of a limit. The hour keeps times in 32 bits (see window).
const (
	minPer   = time.Second
	maxPer   = time.Hour
	maxCount = 1_000_000_000
)

// Limit admits at most Max requests in any interval of length Per.
type Limit struct {
	Name string        // what is counted, for people: "requests a minute for this application"
	Per  time.Duration // 1 s to 1 h, whole microseconds
	Max  int           // 0 to 1,000,000,000; 0 = no limit
}

// String is the limit in words that are safe to show: "100 requests a minute for
// this application".
func (l Limit) String() string {
	name := l.Name
	if l.Max == 1 {
		name = strings.Replace(name, "s a", " a", 1) // "1 request a minute"
	}
	return strconv.Itoa(l.Max) + " " + name
}

func (l Limit) check() error {
	if l.Max < 0 || l.Max > maxCount {
		return fmt.Errorf("%d %s: the figure must be 0 (no limit) to %d", l.Max, l.Name, maxCount)
	}
	if l.Per < minPer || l.Per > maxPer || l.Per%time.Microsecond != 0 {
		return fmt.Errorf("%s: the window %s must be %s to %s in whole microseconds", l, l.Per, minPer, maxPer)
	}
	return nil
}

// Policy is every limit of one class. They are spent together or not at all.
type Policy struct {
	Class  Class
	Limits []Limit
}

// Validate reports everything that is wrong with the policy: an unknown class or a
// limit out of range.
func (p Policy) Validate() error {
	var errs []error
	if !p.Class.known() {
		errs = append(errs, errors.New("no such class"))
	}
	for _, l := range p.Limits {
		errs = append(errs, l.check())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("throttle: policy %s: %w", p.Class, err)
	}
	return nil
}

// Settings are the figures an operator may change; 0 = no limit.
type Settings struct {
	UsersPerMinute, UsersPerHour                       int
	TokenPerMinute, TokenPerHour                       int
	AuthFailuresPerMinute                              int
	ManagementReadsPerMinute, ManagementReadsPerHour   int
	ManagementWritesPerMinute, ManagementWritesPerHour int
	SignInFailuresPerMinute, SignInFailuresPerHour     int
	SignInBegunPerMinute                               int
	ConsolePerMinute                                   int
}

// DefaultSettings are the published figures, and ours where none is published
// (contract section 9).
func DefaultSettings() Settings {
	return Settings{
		UsersPerMinute: 100, UsersPerHour: 6000,
		TokenPerMinute: 100, TokenPerHour: 6000,
		AuthFailuresPerMinute:    30,
		ManagementReadsPerMinute: 60, ManagementReadsPerHour: 3600,
		ManagementWritesPerMinute: 10, ManagementWritesPerHour: 600,
		SignInFailuresPerMinute: 10, SignInFailuresPerHour: 60,
		SignInBegunPerMinute: 60,
		ConsolePerMinute:     600,
	}
}

// DefaultPolicies is one policy for every class, with the default settings.
func DefaultPolicies() []Policy { return DefaultSettings().Policies() }

// Policies gives one policy for every class. Figures are checked where the
// policies are put to use.
func (s Settings) Policies() []Policy {
	return []Policy{
		{ClassUsers, minuteAndHour("requests", "this application", s.UsersPerMinute, s.UsersPerHour)},
		{ClassToken, minuteAndHour("token requests", "this application", s.TokenPerMinute, s.TokenPerHour)},
		{ClassAuthFailures, []Limit{
			{"authentication failures a minute for this network address", time.Minute, s.AuthFailuresPerMinute},
		}},
		{ClassManagementRead, minuteAndHour("application reads", "this caller",
			s.ManagementReadsPerMinute, s.ManagementReadsPerHour)},
		{ClassManagementWrite, minuteAndHour("application writes", "this caller",
			s.ManagementWritesPerMinute, s.ManagementWritesPerHour)},
		{ClassSignInAddress, minuteAndHour("failed sign-ins", "this network address", s.SignInFailuresPerMinute, s.SignInFailuresPerHour)},
		{ClassSignInPerson, minuteAndHour("failed sign-ins", "this person", s.SignInFailuresPerMinute, s.SignInFailuresPerHour)},
		{ClassSignInBegin, []Limit{
			{"begun sign-ins a minute for this network address", time.Minute, s.SignInBegunPerMinute},
		}},
		{ClassConsole, []Limit{{"pages a minute for this person", time.Minute, s.ConsolePerMinute}}},
	}
}

func minuteAndHour(what, who string, minute, hour int) []Limit {
	return []Limit{
		{what + " a minute for " + who, time.Minute, minute},
		{what + " an hour for " + who, time.Hour, hour},
	}
}
