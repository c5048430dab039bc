package acceptance

const serviceName = "kafka"

type KDC struct{}

func (k *KDC) ConfigFile() string { return "" }
