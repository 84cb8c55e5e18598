package enginetest

import (
	"fmt"
	"strings"
	"sync"
)

// Words are what was said. They are safe for concurrent use.
type Words struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (w *Words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// keep remembers the text of an error, which it returns.
func (w *Words) keep(err error) error {
	if err != nil {
		_, _ = fmt.Fprintln(w, err.Error())
	}
	return err
}

// String is all of it.
func (w *Words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// secrets are in everything that must not be said of the mail here: addresses, subjects and texts.
var secrets = []string{
	Ann, Bob, bobsDomain, "acme.example", "quagga", "Zebra", "Okapi", "zebra", "okapi",
}

// Silent fails when a secret was said.
func (e *Engine) Silent() {
	e.t.Helper()
	text := e.Said.String()
	for _, list := range [][]string{e.c.Secrets, secrets} {
		for _, secret := range list {
			if i := strings.Index(text, secret); i >= 0 {
				e.t.Errorf("%q was said: %s", secret, text[max(i-200, 0):min(i+100, len(text))])
			}
		}
	}
}
