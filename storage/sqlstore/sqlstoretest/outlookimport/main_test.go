//go:build unix

package outlookimport_test

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

func TestMain(m *testing.M) { os.Exit(importtest.Main(m, child)) }

// inFlight is how many calls of an import are under way at once.
const inFlight = 4

// job is one child process: it imports a mailbox and dies.
type job struct {
	importtest.Death
	Dir       string
	End       time.Time
	Endpoints outlook.Endpoints
	PageSize  int
	Raw       outlook.Raw
	Strict    bool
}

// child imports into an inbox that is set up, and dies where it is told.
func child(ctx context.Context, j job) error {
	d := importtest.NewDying(j.Death)
	p, err := j.provider(d.Transport(&http.Transport{MaxIdleConnsPerHost: 2 * inFlight, DisableCompression: true}))
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
func (j job) provider(transport http.RoundTripper) (*outlook.Provider, error) {
	o := outlook.Options{
		ClientID: outlooktest.ClientID, ClientSecret: outlooktest.ClientSecret, Endpoints: j.Endpoints,
		Quota: outlook.Quota{InFlight: inFlight}, PageSize: j.PageSize, Raw: j.Raw,
	}
	if transport != nil {
		o.HTTP = &http.Client{Transport: transport}
	}
	return outlook.New(o)
}
