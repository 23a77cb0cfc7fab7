// Opens the signed note on standard input with the verifier keys given as arguments and prints
// its text: a second implementation, to which our checkpoints must be readable.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	var verifiers []note.Verifier
	for _, text := range os.Args[1:] {
		verifier, err := note.NewVerifier(text)
		if err != nil {
			log.Fatal(err)
		}
		verifiers = append(verifiers, verifier)
	}
	message, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	opened, err := note.Open(message, note.VerifierList(verifiers...))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(opened.Text)
}
