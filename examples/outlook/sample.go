package main

import (
	"time"

	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// fill makes a mailbox with a month of mail that looks like a person's at work.
func fill(server *outlooktest.Server) error {
	now := time.Now().UTC().Truncate(time.Second)
	mail, err := mailgen.New(mailgen.Config{Seed: 1, Messages: 120, MeanBytes: 4000,
		Start: now.AddDate(0, 0, -29), End: now})
	if err != nil {
		return err
	}
	account := server.Account(mail.Config().Owner)
	for m := range mail.Oldest() {
		folder := "inbox"
		if m.Outbound {
			folder = "sentitems"
		}
		account.Deliver(m.Raw, outlooktest.Delivery{Received: m.Received, Folder: folder, Sent: m.Outbound, Read: true})
	}
	return nil
}
