package sim

// PlantFailure makes runs fail in which the fourth of the oldest requests is canceled.
func PlantFailure() (undo func()) {
	v := &verbs[verbIndex("cancel")]
	cancel := v.do
	v.do = func(r *run, s Step) {
		if cancel(r, s); s.N == 3 {
			r.check.fail("planted", "request %d of those in flight was canceled", s.N)
		}
	}
	return func() { v.do = cancel }
}

// RunAlone is Run without anything that earlier runs have left.
func RunAlone(p Plan) Result {
	result := newRunIn(newMemory(), p, nil, nil, nil).run()
	memories.Get() // one that is left, so that they do not become more and more
	return result
}
