package inbox_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
)

// Carl connects his mailbox in four steps and shares it with Rita. One sync imports what clients
// sent; a preview says what other rules would let in.
func ExampleService() {
	ctx := context.Background()
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	mail := fake.New(fake.Options{Now: clock, SearchOff: true})
	account := mail.Account("carl@firm.example")
	for _, from := range []string{"ann@acme.com", "spouse@home.example"} {
		raw := "From: " + from + "\r\nTo: carl@firm.example\r\nSubject: Hello from " + from + "\r\n\r\nHello!\r\n"
		account.Deliver([]byte(raw), fake.Delivery{Received: now.Add(-time.Hour)})
	}
	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: "firm"})
	for user, role := range map[acl.UserID]acl.Role{"olga": acl.Owner, "carl": acl.Agent, "rita": acl.Agent} {
		host.AddPerson(inbox.Person{ID: user, Site: "firm", Role: role, State: acl.Active})
	}
	store := memory.New()
	svc, err := inbox.New(inbox.Config{Store: store, Vault: store, Blobs: store, People: host, Sites: host,
		Providers: []provider.Provider{mail}, Now: clock})
	check(err)
	olga, err := svc.Actor(ctx, "firm", "olga")
	check(err)
	carl, err := svc.Actor(ctx, "firm", "carl")
	check(err)
	rita, err := svc.Actor(ctx, "firm", "rita")
	check(err)
	_, err = svc.CreateCompany(ctx, olga, inbox.CompanyEdit{Name: "Acme", Domains: []string{"acme.com"}})
	check(err)

	// Steps 1 and 2: a name, and whose mail may enter.
	in, err := svc.Create(ctx, carl, inbox.Draft{Provider: "fake", Name: "Carl", Import: true})
	check(err)
	_, err = svc.SetRules(ctx, carl, in.ID, filter.Rules{Mode: filter.ClientAssociated})
	check(err)
	// Step 3: consent, as the mail service sends Carl's browser back.
	link, err := svc.Connect(ctx, carl, in.ID, "https://host.example/back")
	check(err)
	to, err := url.Parse(link)
	check(err)
	_, err = svc.Consent(ctx, carl, in.ID, inbox.Return{State: to.Query().Get("state"), Code: account.Address()})
	check(err)
	// Step 4: teammates.
	_, err = svc.Share(ctx, carl, in.ID, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	check(err)
	in, err = svc.Finish(ctx, carl, in.ID)
	check(err)
	fmt.Println(in.State)

	run, err := svc.Sync(ctx, in.ID)
	check(err)
	fmt.Println("stored", run.Stored, "of", run.Listed)
	for m, err := range svc.Messages(ctx, rita, inbox.MessageQuery{Inbox: in.ID}) {
		check(err)
		fmt.Println("Rita sees:", m.Subject)
	}
	preview, err := svc.Preview(ctx, carl, in.ID, &filter.Rules{Mode: filter.All})
	check(err)
	fmt.Println("with all mail:", preview.Accepted)
	// Output:
	// importing
	// stored 1 of 2
	// Rita sees: Hello from ann@acme.com
	// with all mail: 2
}

// noScripts refuses files that begin as scripts do. A host would ask a virus scanner.
type noScripts struct{}

func (noScripts) Scan(_ context.Context, f inbox.ScannedFile, r io.Reader) error {
	file := bufio.NewReader(r)
	if head, _ := file.Peek(2); string(head) == "#!" {
		return fmt.Errorf("%s is a script: %w", f.Type, inbox.ErrUnsafeFile)
	}
	_, err := io.Copy(io.Discard, file)
	return err
}

// A scanner reads a file to its end, or refuses it.
func ExampleScanner() {
	var s inbox.Scanner = noScripts{}
	for _, content := range []string{"The offer", "#!/bin/sh"} {
		f := inbox.ScannedFile{Path: "2", Name: "offer.txt", Type: "text/plain"}
		fmt.Println(s.Scan(context.Background(), f, strings.NewReader(content)))
	}
	// Output:
	// <nil>
	// text/plain is a script: this file is not safe
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
