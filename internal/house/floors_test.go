package house

import (
	"slices"
	"strings"
)

// module is the import path of the main module.
const module = "github.com/rollcall-id/rollcall"

// floor is one storey of the house. A room imports rooms of lower floors, and of its own floor unless the floor is
// apart, whose rooms never import each other. A room is a package with all the packages below it in the tree.
type floor struct {
	rooms string // separated by spaces; without "internal/"
	apart bool
}

// house lists the floors from the ground up.
var house = []floor{
	{rooms: "fault throttle admit api server config terminal envfile lines pgtest valkeytest"},
	{rooms: "ident page filter client"},
	{rooms: "access"},
	{rooms: "audit usage"},
	{rooms: "directory oauth signin records"},
	{rooms: "httpapi console store roster passkey sso sharedlimit", apart: true}, // the edges: HTTP in, HTML in, SQL out, files in, counts out
	{rooms: "node cli", apart: true},                                             // a whole server put together; a client at a terminal
	{rooms: "cmd/rollcall testkit client/clienttest", apart: true},
	{rooms: "bench e2e interop house", apart: true}, // they look at the house from outside
}

// narrow lists the rooms that may import these rooms only, whatever their floor: the two public packages, which other
// people's programs compile in, and what knows a server only by its contract.
var narrow = map[string]string{
	"api":        "",
	"client":     "api",
	"cli":        "api client terminal envfile",
	"terminal":   "",
	"envfile":    "",
	"lines":      "",
	"pgtest":     "",
	"valkeytest": "",
}

// ruleRooms decide without touching the world: what they know of clock, chance, disk and network comes in as values.
const ruleRooms = "fault ident access audit usage filter page throttle admit directory oauth signin records"

// worldly lists what a rule room never imports.
const worldly = "net/http database/sql log log/slog os crypto/rand math/rand math/rand/v2"

// clockReads lists the functions of package time that a rule room never names.
const clockReads = "Now Since Until"

// isRoom tells whether a list of the tables above holds the room.
func isRoom(list, room string) bool { return slices.Contains(strings.Fields(list), room) }

// roomOf returns the room of a package of this module: "store" for internal/store/storetest, "cmd/rollcall" for its
// package main. A folder that the house lists by its path is a room of its own: "client/clienttest" is not "client". It
// is empty for packages of other modules.
func roomOf(path string) string {
	rest, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return ""
	}
	rest = strings.TrimPrefix(rest, "internal/")
	parts := strings.Split(rest, "/")
	if len(parts) > 1 {
		if inner := parts[0] + "/" + parts[1]; parts[0] == "cmd" || floorOf(inner) != 0 {
			return inner
		}
	}
	return parts[0]
}

// floorOf returns the number of the room's floor, the ground being 1, or 0 for a room that is on none.
func floorOf(room string) int {
	return 1 + slices.IndexFunc(house, func(f floor) bool { return isRoom(f.rooms, room) })
}
