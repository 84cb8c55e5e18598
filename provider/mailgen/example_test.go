package mailgen_test

import (
	"fmt"

	"github.com/workinbox/workinbox/provider/mailgen"
)

func Example() {
	mailbox, err := mailgen.New(mailgen.Config{Seed: 1, Messages: 200})
	if err != nil {
		fmt.Println(err)
		return
	}
	sent, threads := 0, make(map[int]bool)
	for message := range mailbox.Newest() {
		if message.Outbound {
			sent++
		}
		threads[message.Thread] = true
	}
	fmt.Println(mailbox.Len(), "messages,", sent, "of them sent, in", len(threads), "threads")
	// Output: 200 messages, 51 of them sent, in 98 threads
}
