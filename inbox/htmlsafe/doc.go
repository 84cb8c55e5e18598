// Package htmlsafe makes the HTML of mail safe to show inside a page. It is the only place where
// HTML is cleaned; stores keep it as it came, so that a better cleaner also improves old mail.
//
//  1. No script, event handler, form, frame, plug-in or style sheet is left.
//  2. Nothing is loaded from outside, unless Options.RemoteImages allows images.
//  3. Links lead to http, https, mailto and tel only, in a new tab that knows nothing of this one.
//  4. Tags are balanced and at most 200 deep, so that mail cannot reach out of its place on the page.
//  5. Colours, fonts, tables and alignment stay, so that mail still looks like mail.
//  6. Cleaning what is clean changes nothing.
package htmlsafe
