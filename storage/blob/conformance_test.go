package blob_test

import (
	"testing"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/blob"
	"github.com/workinbox/workinbox/storage/storagetest"
)

func TestDirKeepsTheContractOfBlobs(t *testing.T) {
	eachWay(t, func(t *testing.T, o blob.Options) {
		storagetest.Blobs(t, func(t *testing.T) inbox.Blobs { return open(t, t.TempDir(), o) })
	})
}
