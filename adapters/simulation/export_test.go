package simulation

// SplitMix returns the first numbers of a stream with that state.
func SplitMix(state uint64) (list []uint64) {
	s := Stream{state}
	for range 5 {
		list = append(list, s.Uint64())
	}
	return list
}
