//go:build unix

package gmailimport_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

func TestMain(m *testing.M) { os.Exit(importtest.Main(m, child)) }

// job is one child process: it serves a mailbox as Gmail does, or imports one and dies.
type job struct {
	importtest.Death
	Serve     *mailgen.Config // serve this mail; nil: import
	Dir       string
	End       time.Time
	Endpoints gmail.Endpoints
	PageSize  int
	Strict    bool
}

func child(ctx context.Context, j job) error {
	if j.Serve != nil {
		return j.serve()
	}
	return j.importMail(ctx)
}

// serve serves until nobody writes to this process any more, and says where.
func (j job) serve() error {
	mail, err := mailgen.New(*j.Serve)
	if err != nil {
		return err
	}
	s := gmailtest.New(nil, gmailtest.Config{Limits: gmailtest.Unlimited()})
	defer s.Close()
	deliverMail(s, mail)
	if err := json.NewEncoder(os.Stdout).Encode(endpoints(s)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// importMail imports into an inbox that is set up, and dies where it is told.
func (j job) importMail(ctx context.Context) error {
	d := importtest.NewDying(j.Death)
	p, err := j.provider(d.Transport(newTransport()))
	if err != nil {
		return err
	}
	i, err := importtest.Open(ctx, j.Dir, j.End, importtest.Parts{
		Provider: p, Strict: j.Strict, Store: d.Store, Blobs: d.Blobs,
	})
	if err != nil {
		return err
	}
	defer i.Close()
	id, err := i.Inbox(ctx, filter.Rules{}, nil)
	if err != nil {
		return err
	}
	run, err := i.Service.Sync(ctx, id)
	if err != nil {
		return err
	}
	return importtest.WriteReport(run)
}

// provider is the client of the mailbox. A nil transport is the client's own.
func (j job) provider(transport http.RoundTripper) (*gmail.Provider, error) {
	o := gmail.Options{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret, Endpoints: j.Endpoints,
		Quota: gmail.Quota{InFlight: inFlight}, PageSize: j.PageSize,
	}
	if transport != nil {
		o.HTTP = &http.Client{Transport: transport}
	}
	return gmail.New(o)
}

func newTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 2 * inFlight, DisableCompression: true}
}
