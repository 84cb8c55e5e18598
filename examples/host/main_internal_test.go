package main

import "os"

// Three mails, two of them one conversation.
func Example() {
	os.Args = []string{"host", "testdata/three.mbox"}
	main()
	// Output:
	// 2 active Printer on the second floor
	// 1 waiting Invoice 17
}
