package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Database says where everything is kept: in a folder of this machine, or on a server
// that any number of replicas share.
type Database struct {
	Data                 string `help:"Folder of the embedded database." placeholder:"DIR" type:"path"`
	Database             string `help:"URL of a PostgreSQL database in its place: postgres://USER@HOST/DATABASE. Give the password by --database-password-file, PGPASSFILE or PGPASSWORD." placeholder:"URL"`
	DatabasePasswordFile string `help:"File that holds the database's password and nothing else." placeholder:"FILE" type:"path"`
	DatabaseConnections  int    `help:"Connections to the PostgreSQL server open at once." default:"12" placeholder:"N"`
}

// Check asks for exactly one place. It is not named Validate, which kong would call before
// it says that a command is missing.
func (d Database) Check() error {
	switch {
	case d.Data == "" && d.Database == "":
		return errors.New("missing flags: --data=DIR, or --database=URL for a PostgreSQL database")
	case d.Data != "" && d.Database != "":
		return errors.New("--data and --database are both set: leave one out")
	case d.Database == "":
		return nil
	case d.DatabaseConnections < 4 || d.DatabaseConnections > 1000:
		return fmt.Errorf("--database-connections=%d is out of range: 4 to 1000", d.DatabaseConnections)
	}
	return nil
}

// maxPassword bounds the password's file, in bytes.
const maxPassword = 4096

// URL returns the database's URL with the password of the file in it, if there is one;
// "" for a folder.
func (d Database) URL() (string, error) {
	if d.Database == "" || d.DatabasePasswordFile == "" {
		return d.Database, nil
	}
	text, err := os.ReadFile(d.DatabasePasswordFile)
	if err != nil {
		return "", fmt.Errorf("read the database's password: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" || len(password) > maxPassword || strings.ContainsAny(password, "\r\n") {
		return "", fmt.Errorf("%s does not hold one line with a password", d.DatabasePasswordFile)
	}
	u, err := url.Parse(d.Database)
	if err != nil {
		return "", errors.New("--database is not a URL: it reads postgres://USER@HOST/DATABASE") // err repeats it
	}
	if _, twice := u.User.Password(); twice {
		return "", errors.New("--database holds a password, and --database-password-file names another: leave one out")
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String(), nil
}

// Place names the database for people and logs, without a password.
func (d Database) Place() string {
	if d.Database == "" {
		return d.Data
	}
	u, err := url.Parse(d.Database)
	if err != nil {
		return "the database in --database"
	}
	return (&url.URL{Scheme: u.Scheme, User: url.User(u.User.Username()), Host: u.Host, Path: u.Path}).String()
}

// Flag is how the database is named to another command.
func (d Database) Flag() string {
	if d.Database == "" {
		return "--data " + d.Data
	}
	return "--database " + d.Place()
}

// ErrPasswordArgument means that a password was typed where everybody on the machine can read it.
var ErrPasswordArgument = errors.New("--database holds a password, and every user of this machine can read the arguments of a program: leave it out, and give it by --database-password-file, PGPASSFILE or PGPASSWORD, or set all of it in ROLLCALL_DATABASE or the --config file")

// NoPasswordArgument refuses arguments that hold a database's password.
func NoPasswordArgument(args []string) error {
	for _, arg := range args {
		if arg == "--" {
			return nil
		}
		_, value, found := strings.Cut(arg, "=")
		if !found || !strings.HasPrefix(arg, "-") {
			value = arg
		}
		if !strings.HasPrefix(value, "postgres://") && !strings.HasPrefix(value, "postgresql://") {
			continue
		}
		u, err := url.Parse(value)
		if err != nil {
			continue // for the database's own reader to refuse
		}
		if _, secret := u.User.Password(); secret || u.Query().Has("password") {
			return ErrPasswordArgument
		}
	}
	return nil
}
