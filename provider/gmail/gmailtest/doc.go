// Package gmailtest is an HTTP server that behaves like the Gmail the library uses, for the tests of
// the library and of its hosts: consent and tokens, the calls of the Gmail API with their quotas,
// refusals and faults, uploads, batches and pushes.
//
//		s := gmailtest.New(t, gmailtest.Config{})
//		a := s.Account("ann@example.com")
//		a.Deliver(raw, gmailtest.Delivery{})
//		... gmail.Options{ClientID: gmailtest.ClientID, ..., Endpoints: s.Endpoints(), HTTP: s.Client()}
//
//	 1. A Server holds Accounts. What a test does to an Account happened at Gmail by other hands:
//	    Deliver, AddLabels, Trash, Delete. What the application does, it does over HTTP.
//	 2. It is strict where Gmail is: PKCE, redirect address, scopes, thread checks, page tokens.
//	 3. Field names and JSON types are those of Gmail's discovery document; the shapes are those of
//	    recorded answers (see testdata).
//	 4. Time is Config.Now alone, and with Config.Pipe nothing leaves the process: in a
//	    testing/synctest bubble a day of quota passes in an instant.
//
// Everything is safe for concurrent use. Tokens and secrets are the server's own inventions, so
// nothing hides them.
package gmailtest
