// Command guesswords writes the list of words that package guess looks up: the common
// passwords, words and names of zxcvbn, as hashes with their rank.
package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn/frequency"

	"github.com/rollcall-id/rollcall/internal/signin/guess"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: guesswords FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], records(), 0o644); err != nil { //nolint:gosec // G306: it holds no secret
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// records returns the list, sorted; of words that several lists have, the best rank.
func records() []byte {
	ranks := map[string]int{}
	for _, words := range frequency.FrequencyLists {
		for i, w := range words {
			if n := utf8.RuneCountInString(w); n < guess.MinWord || n > guess.MaxWord {
				continue
			}
			if before, known := ranks[w]; !known || i+1 < before {
				ranks[w] = i + 1
			}
		}
	}
	all := make([][]byte, 0, len(ranks))
	for w, rank := range ranks {
		r := guess.Record(w, rank)
		all = append(all, r[:])
	}
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(all, nil)
}
