// Checks the ledger's proofs and notes with Go's own implementation of transparency logs, and makes
// notes and proofs with it for the ledger to check.  JSON in, JSON out.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type inclusion struct {
	Size, Index int64
	Path        []tlog.Hash
}

type consistency struct {
	Old, New int64
	Path     []tlog.Hash
}

type question struct {
	Key           string
	Note          string
	Leaves        [][]byte
	Inclusions    []inclusion
	Consistencies []consistency
}

type answer struct {
	Text          string
	Key           string
	Note          string
	Roots         []tlog.Hash
	Inclusions    []inclusion
	Consistencies []consistency
	Problems      []string
}

type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, index := range indexes {
		out = append(out, s[index])
	}
	return out, nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var q question
	var a answer
	must(json.NewDecoder(os.Stdin).Decode(&q))

	verifier, err := note.NewVerifier(q.Key)
	must(err)
	opened, err := note.Open([]byte(q.Note), note.VerifierList(verifier))
	must(err)
	a.Text = opened.Text

	var stored storage
	for n, leaf := range q.Leaves {
		hashes, err := tlog.StoredHashes(int64(n), leaf, stored)
		must(err)
		stored = append(stored, hashes...)
		root, err := tlog.TreeHash(int64(n+1), stored)
		must(err)
		a.Roots = append(a.Roots, root)
	}
	for _, p := range q.Inclusions {
		leaf := tlog.RecordHash(q.Leaves[p.Index])
		if err := tlog.CheckRecord(p.Path, p.Size, a.Roots[p.Size-1], p.Index, leaf); err != nil {
			a.Problems = append(a.Problems, fmt.Sprint("inclusion ", p.Index, p.Size, err))
		}
		proof, err := tlog.ProveRecord(p.Size, p.Index, stored)
		must(err)
		a.Inclusions = append(a.Inclusions, inclusion{p.Size, p.Index, proof})
	}
	for _, p := range q.Consistencies {
		err := tlog.CheckTree(p.Path, p.New, a.Roots[p.New-1], p.Old, a.Roots[p.Old-1])
		if err != nil {
			a.Problems = append(a.Problems, fmt.Sprint("consistency ", p.Old, p.New, err))
		}
		proof, err := tlog.ProveTree(p.New, p.Old, stored)
		must(err)
		a.Consistencies = append(a.Consistencies, consistency{p.Old, p.New, proof})
	}

	secret, public, err := note.GenerateKey(rand.Reader, "go.example/log")
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	text := fmt.Sprintf("go.example/log\n%d\n%s\n", len(q.Leaves), a.Roots[len(a.Roots)-1])
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(err)
	a.Key, a.Note = public, string(signed)
	must(json.NewEncoder(os.Stdout).Encode(a))
}
