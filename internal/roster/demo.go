package roster

import (
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// demoSpan is how long ago the first person of the demonstration account was created.
const demoSpan = 2 * 365 * 24 * time.Hour

// demoNames are the people of the demonstration account, the longest-serving first.
// All are made up. What is special about one stands after their name.
const demoNames = `
Amara Okafor: owners
Henrik Lindqvist: owners
Mei-Ling Chou: owners administrators
Directory Service Partner: externally_managed administrators
Rafael Monteiro: administrators
Priya Raghunathan: administrators
Yusuf Demir: security
Ingrid Solheim: security administrators
Kwame Mensah: engineering
Sofía Villanueva: engineering
Tomasz Wójcik: engineering
Aiko Tanabe: engineering
Liam O'Rourke: engineering SUSPENDED
Noor al-Hassan: engineering
Chiara Bellandi: design
Mateo Quispe: design
Fatoumata Diarra: design
Elif Kaya: support
Jonas Brandt: support
Nguyễn Thị Hạnh: support
Oluwaseun Adeyemi: support SUSPENDED
Camille Rousselot: finance
Dmitri Sokolov: finance
Grace Wanjiru: finance
Arjun Mehta: engineering
Leilani Kahale: people
Samuel Ferreira: sales
Zofia Nowicka: sales
Ahmed Bouzid: sales
Hana Kovářová: sales SUSPENDED
Min-jun Seo: engineering
Esther Goldfarb: legal
Lucía Herrera: legal
Viktor Petrov: engineering
Anahera Walker: people
Björn Halldórsson: engineering
Saanvi Iyer: design
Pieter van Rossum: finance SUSPENDED
Thandiwe Nkosi: support
Marcus Bell: sales
Aylin Yıldız: engineering
Emeka Nwosu: engineering
Freya Sørensen: design
Ravi Shankaran: guest
Julia Brunner: guest
Diego Salazar: guest SUSPENDED
Naledi Mokoena: guest
Owen Griffiths: guest
Katarina Horvat: support
Wei Zhang: engineering
Siobhán Gallagher: people
Ibrahim Touré: sales SUSPENDED
Margaux Delacroix: guest PENDING
Peter Novak: engineering
Tala Haddad: support
Isla Campbell: design
Joon-ho Park: engineering PENDING
Beatriz Carvalho: sales PENDING
Daniel Osei: support PENDING
Nina Eriksson: finance PENDING
`

// Demo returns the demonstration account: 60 made-up people of every state and type,
// created over the two years before now, and an application that may do everything.
// All ids and the secret are left to be made.
func Demo(now time.Time) *Seed {
	lines := strings.Split(strings.TrimSpace(demoNames), "\n")
	users := make([]directory.User, len(lines))
	step := demoSpan / time.Duration(len(lines)+1)
	for i, line := range lines {
		created := now.Add(-demoSpan + time.Duration(i)*step)
		users[i] = demoUser(line, created.UTC().Truncate(time.Second))
	}
	return &Seed{Accounts: []Account{{
		Account: directory.Account{Name: "Meridian Labs (demo)"},
		Users:   users,
		Applications: []Application{{Application: oauth.Application{
			Name:        "Demo integration",
			Description: "Made for this demonstration. It may list, get, suspend and reactivate people.",
			Permissions: access.AllUsers,
		}}},
	}}}
}

func demoUser(line string, created time.Time) directory.User {
	name, notes, _ := strings.Cut(line, ": ")
	u := directory.User{
		DisplayName: name, Email: demoEmail(name), CreateTime: created,
		State: directory.Active, Type: directory.Member,
	}
	for note := range strings.FieldsSeq(notes) {
		switch note {
		case string(directory.Suspended), string(directory.Pending):
			u.State = directory.State(note)
		case string(directory.Guest), string(directory.ExternallyManaged):
			u.Type = directory.Type(note)
		default:
			u.Groups = append(u.Groups, note)
		}
	}
	return u
}

// demoLetters spells names as their owners' addresses do.
var demoLetters = strings.NewReplacer(
	"á", "a", "ạ", "a", "é", "e", "ễ", "e", "í", "i", "ị", "i", "ı", "i", "ó", "o", "ö", "o", "ø", "o",
	"ř", "r", "'", "", " ", ".",
)

// demoEmail makes an address at a domain reserved for examples (RFC 2606 section 3).
func demoEmail(name string) ident.Email {
	return ident.Email(demoLetters.Replace(strings.ToLower(name)) + "@example.com")
}
