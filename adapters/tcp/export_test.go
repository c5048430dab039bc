package tcp

// WithHint is what Dial and Lookup do with their errors.
var WithHint = withHint
