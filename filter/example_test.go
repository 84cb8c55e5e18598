package filter_test

import (
	"fmt"
	"time"

	"github.com/workinbox/workinbox/filter"
)

func Example() {
	acme, _ := filter.ParseCompanyPattern("*acme.com", filter.CompanyOptions{})
	private, _ := filter.ParseExclusion("friend@acme.com")
	directory, err := filter.NewDirectory(filter.DirectoryData{
		Domains: []filter.DomainEntry{{Pattern: acme, Company: "acme"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := filter.Compile(filter.Config{
		Revisions: []filter.Revision{{Version: 1, Rules: filter.Rules{
			Mode:    filter.ClientAssociated,
			Exclude: []filter.Exclusion{private},
		}}},
		Directory: directory,
		Own:       []string{"me@studio.example"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, from := range []string{"Ann@EU.Acme.com", "friend@acme.com", "shop@notacme.com"} {
		v := f.Decide(&filter.Facts{
			Received: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC),
			From:     []string{from},
			To:       []string{"me@studio.example"},
			SentMark: filter.NotSent,
		}, filter.Thread{})
		fmt.Println(from, v.Accept, v.Reason)
	}
	fmt.Println(f.Interest())
	// Output:
	// Ann@EU.Acme.com true company_domain
	// friend@acme.com false excluded
	// shop@notacme.com false not_client_associated
	// [*.acme.com acme.com] true
}
