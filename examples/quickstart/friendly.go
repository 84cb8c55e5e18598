package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
)

// errDatabase says that the file of -db cannot be worked with.
var errDatabase = errors.New("database")

// friendly says in one line what went wrong and what to do.
func friendly(ctx context.Context, o options, err error) string {
	switch {
	case ctx.Err() != nil && o.db != "":
		return "stopped; the same command goes on where it was"
	case ctx.Err() != nil:
		return "stopped; nothing is kept without -db FILE"
	case errors.Is(err, archive.ErrNotThere):
		return fmt.Sprintf("there is nothing at %q; give -mail the path of an mbox file, a Maildir or "+
			"a folder of messages", o.mail)
	case errors.Is(err, archive.ErrEmpty):
		return fmt.Sprintf("there is no mail in %q; give -mail a file or folder that has some", o.mail)
	case errors.Is(err, archive.ErrNotMail):
		return fmt.Sprintf("%q is not mail; give -mail an mbox file, a Maildir or a folder of messages", o.mail)
	case errors.Is(err, sqlstore.ErrNewSchema):
		return fmt.Sprintf("the database %q is of a newer version of this program; use that, or give "+
			"-db another file", o.db)
	case errors.Is(err, errDatabase):
		return fmt.Sprintf("%q cannot be used as a database; give -db another file (%s)", o.db, oneLine(err))
	case errors.Is(err, inbox.ErrDomainTaken):
		return "two clients have the same domain; give each domain to one -client (" + oneLine(err) + ")"
	case errors.Is(err, storage.ErrConflict):
		return "another run works on this database; wait for its end, then run this again"
	}
	return oneLine(err)
}

// oneLine is for errors that name several things, each on a line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
