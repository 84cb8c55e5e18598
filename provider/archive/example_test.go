package archive_test

import (
	"context"
	"fmt"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
)

// A month of a public mailing list, from one file.
func Example() {
	ctx := context.Background()
	list := archive.New("testdata/lists/maven-dev-2017-11.mbox", archive.Options{PageSize: 100})
	mailbox, err := list.Open(ctx, provider.Credential{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	threads := make(map[provider.ThreadID]bool)
	messages := 0
	for batch, err := range mailbox.Changes(ctx, "", provider.Walk{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, h := range batch.Put {
			threads[h.Thread] = true
			messages++
		}
	}
	fmt.Println(messages, "messages in", len(threads), "conversations")
	// Output: 317 messages in 93 conversations
}
