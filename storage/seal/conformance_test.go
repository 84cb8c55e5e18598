package seal_test

import (
	"testing"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/seal"
	"github.com/workinbox/workinbox/storage/storagetest"
)

func TestVaultKeepsTheContractOfVault(t *testing.T) {
	t.Parallel()
	storagetest.Vault(t, func(t *testing.T) inbox.Vault {
		return seal.New(newPlainVault(), static(t, key(t, "k1", 1)))
	})
}
