package htmlsafe_test

import (
	"fmt"

	"github.com/workinbox/workinbox/inbox/htmlsafe"
)

func ExampleClean() {
	const mail = `<p onclick="steal()">Our <b>offer</b>: <img src="cid:chair@example.com">` +
		`<img src="https://tracker.example/pixel.gif" alt=""></p>`
	clean := htmlsafe.Clean(mail, htmlsafe.Options{
		InlineURL: func(id string) string { return "/messages/7/parts/" + id },
	})
	fmt.Println(clean)
	fmt.Println(clean.Blocked(), "image left out")
	// Output:
	// <p>Our <b>offer</b>: <img data-cid="chair@example.com" src="/messages/7/parts/chair@example.com"></p>
	// 1 image left out
}
