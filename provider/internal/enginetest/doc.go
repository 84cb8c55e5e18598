// Package enginetest puts the whole library, in a bubble of testing/synctest, over the test server of
// a mail service, breaks the calls between them, and holds what people see and what is stored against
// what is really in the account.
//
// A service's tests make an Engine with New, for which they say what their server calls things
// (Config). A Matrix then plays each of their Flows with each of its Mishaps and writes down what
// became of it.
package enginetest
