package release

// The API versions and features of every release from 0.8.0 on, by the rules of table.go. The answers of real brokers
// (testdata) test these tables; they are not the source.
//
// From 2.4 on the versions are `validVersions` of Apache Kafka's message definitions
// (clients/src/main/resources/common/message/*Request.json) at the release's tag,
// without those that are unstable; from 2.8 on `listeners` names the servers that have an API:
// zkBroker, broker, controller. Before, they are those of the schemas in
// clients/src/main/java/org/apache/kafka/common; 0.8 and 0.9 are from the protocol
// guide of their time and the requests' readers in core/src/main/scala/kafka/api.

// knownReleases are the releases that have a table.
const knownReleases = `
0.8.0 0.8.1 0.8.2 0.9 0.10.0 0.10.1 0.10.2 0.11 1.0 1.1 2.0 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8
3.0 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9 4.0 4.1 4.2 4.3 4.4
`

// gone marks a release that dropped an API.
const gone = "none"

// likeZooKeeper marks the release from which brokers with KRaft have the versions of those with ZooKeeper.
const likeZooKeeper = "same"

// releaseRanges has a row for each API of brokers, up to 3.9 of those with ZooKeeper,
// from 4.0 of those with KRaft (listeners: zkBroker, broker): its key, its name, and
// every release that changed its versions, with what it had from then on: "2.4:8" is
// v0 to v8 from 2.4 on, "4.0:4-17" is v4 to v17.
//
// 4.0.1 is the one patch release that changed a range: KAFKA-19444. Produce begins at
// v0 in 4.0 although its definition begins at v3: for librdkafka's sake (KIP-896).
const releaseRanges = `
0  Produce                      0.8.0:0 0.9:1 0.10.0:2 0.11:3 1.0:5 2.0:6 2.1:7 2.4:8 2.8:9 3.7:10 3.8:11 4.0:12 4.1:13
1  Fetch                        0.8.0:0 0.9:1 0.10.0:2 0.10.1:3 0.11:5 1.0:6 1.1:7 2.0:8 2.1:10 2.3:11 2.7:12 3.1:13 3.5:15 3.7:16 3.9:17 4.0:4-17 4.1:4-18
2  ListOffsets                  0.8.0:0 0.10.1:1 0.11:2 2.0:3 2.1:4 2.2:5 2.8:6 3.0:7 3.5:8 3.9:9 4.0:1-10 4.2:1-11
3  Metadata                     0.8.0:0 0.10.0:1 0.10.1:2 0.11:4 1.0:5 2.0:6 2.1:7 2.3:8 2.4:9 2.8:11 3.1:12 4.0:13
4  LeaderAndIsr                 0.10.0:0 1.0:1 2.2:2 2.4:4 2.8:5 3.2:6 3.4:7 4.0:none
5  StopReplica                  0.10.0:0 2.2:1 2.4:2 2.6:3 3.4:4 4.0:none
6  UpdateMetadata               0.10.0:2 0.10.2:3 1.0:4 2.2:5 2.4:6 2.8:7 3.4:8 4.0:none
7  ControlledShutdown           0.10.0:1-1 1.0:1 2.2:2 2.4:3 4.0:none
8  OffsetCommit                 0.8.1:0 0.8.2:1 0.9:2 0.11:3 2.0:4 2.1:6 2.3:7 2.4:8 3.7:9 4.0:2-9 4.2:2-10
9  OffsetFetch                  0.8.1:0 0.8.2:1 0.10.2:2 0.11:3 2.0:4 2.1:5 2.4:6 2.5:7 3.0:8 3.7:9 4.0:1-9 4.2:1-10
10 FindCoordinator              0.8.2:0 0.11:1 2.0:2 2.4:3 3.0:4 3.8:5 3.9:6
11 JoinGroup                    0.9:0 0.10.1:1 0.11:2 2.0:3 2.2:4 2.3:5 2.4:6 2.5:7 3.2:9 4.0:2-9 4.0.1:9
12 Heartbeat                    0.9:0 0.11:1 2.0:2 2.3:3 2.4:4
13 LeaveGroup                   0.9:0 0.11:1 2.0:2 2.4:4 3.2:5
14 SyncGroup                    0.9:0 0.11:1 2.0:2 2.3:3 2.4:4 2.5:5
15 DescribeGroups               0.9:0 0.11:1 2.0:2 2.3:3 2.4:5 4.0:6
16 ListGroups                   0.9:0 0.11:1 2.0:2 2.4:3 2.6:4 3.8:5
17 SaslHandshake                0.10.0:0 1.0:1
18 ApiVersions                  0.10.0:0 0.11:1 2.0:2 2.4:3 3.9:4 4.4:5
19 CreateTopics                 0.10.1:0 0.10.2:1 0.11:2 2.0:3 2.4:5 2.7:6 2.8:7 4.0:2-7
20 DeleteTopics                 0.10.1:0 0.11:1 2.0:2 2.1:3 2.4:4 2.7:5 2.8:6 4.0:1-6
21 DeleteRecords                0.11:0 2.0:1 2.6:2
22 InitProducerId               0.11:0 2.0:1 2.4:2 2.5:3 2.7:4 3.8:5
23 OffsetForLeaderEpoch         0.11:0 2.0:1 2.1:2 2.3:3 2.8:4 4.0:2-4
24 AddPartitionsToTxn           0.11:0 2.0:1 2.7:2 2.8:3 3.6:4 3.8:5
25 AddOffsetsToTxn              0.11:0 2.0:1 2.7:2 2.8:3 3.8:4
26 EndTxn                       0.11:0 2.0:1 2.7:2 2.8:3 3.8:4 4.0:5
27 WriteTxnMarkers              0.11:0 2.8:1 4.0:1-1 4.2:1-2
28 TxnOffsetCommit              0.11:0 2.0:1 2.1:2 2.5:3 3.8:4 4.0:5 4.4:6
29 DescribeAcls                 0.11:0 2.0:1 2.5:2 3.3:3 4.0:1-3
30 CreateAcls                   0.11:0 2.0:1 2.5:2 3.3:3 4.0:1-3
31 DeleteAcls                   0.11:0 2.0:1 2.5:2 3.3:3 4.0:1-3
32 DescribeConfigs              0.11:0 1.1:1 2.0:2 2.6:3 2.8:4 4.0:1-4
33 AlterConfigs                 0.11:0 2.0:1 2.8:2
34 AlterReplicaLogDirs          1.0:0 2.0:1 2.8:2 4.0:1-2
35 DescribeLogDirs              1.0:0 2.0:1 2.6:2 3.2:3 3.3:4 4.0:1-4 4.3:1-5
36 SaslAuthenticate             1.0:0 2.2:1 2.5:2
37 CreatePartitions             1.0:0 2.0:1 2.5:2 2.7:3
38 CreateDelegationToken        1.1:0 2.0:1 2.4:2 3.3:3 4.0:1-3
39 RenewDelegationToken         1.1:0 2.0:1 2.5:2 4.0:1-2
40 ExpireDelegationToken        1.1:0 2.0:1 2.5:2 4.0:1-2
41 DescribeDelegationToken      1.1:0 2.0:1 2.5:2 3.3:3 4.0:1-3
42 DeleteGroups                 1.1:0 2.0:1 2.4:2 4.4:3
43 ElectLeaders                 2.2:0 2.4:2
44 IncrementalAlterConfigs      2.3:0 2.4:1
45 AlterPartitionReassignments  2.4:0 4.1:1
46 ListPartitionReassignments   2.4:0
47 OffsetDelete                 2.4:0
48 DescribeClientQuotas         2.6:0 2.8:1
49 AlterClientQuotas            2.6:0 2.8:1
50 DescribeUserScramCredentials 2.7:0
51 AlterUserScramCredentials    2.7:0
55 DescribeQuorum               4.0:2
56 AlterPartition               2.7:0 3.2:1 3.3:2 3.5:3 4.0:none
57 UpdateFeatures               2.7:0 3.3:1 4.0:2
58 Envelope                     3.4:0 4.0:none
60 DescribeCluster              2.8:0 3.7:1 4.0:2
61 DescribeProducers            2.8:0
64 UnregisterBroker             4.0:0
65 DescribeTransactions         3.0:0
66 ListTransactions             3.0:0 3.8:1 4.1:2
67 AllocateProducerIds          3.0:0 4.0:none
68 ConsumerGroupHeartbeat       3.7:0 4.0:1
69 ConsumerGroupDescribe        3.8:0 4.0:1
74 ListConfigResources          4.0:0 4.1:1
75 DescribeTopicPartitions      4.0:0
76 ShareGroupHeartbeat          4.1:1-1
77 ShareGroupDescribe           4.1:1-1
78 ShareFetch                   4.1:1-1 4.2:1-2
79 ShareAcknowledge             4.1:1-1 4.2:1-2
80 AddRaftVoter                 4.0:0 4.2:1
81 RemoveRaftVoter              4.0:0
83 InitializeShareGroupState    4.1:0
84 ReadShareGroupState          4.1:0
85 WriteShareGroupState         4.1:0 4.2:1
86 DeleteShareGroupState        4.1:0
87 ReadShareGroupStateSummary   4.1:0 4.2:1
88 StreamsGroupHeartbeat        4.2:0 4.4:1
89 StreamsGroupDescribe         4.2:0 4.4:1
90 DescribeShareGroupOffsets    4.1:0 4.2:1
91 AlterShareGroupOffsets       4.1:0
92 DeleteShareGroupOffsets      4.1:0
93 StreamsGroupTopologyDescriptionUpdate 4.4:0
94 UnregisterController         4.4:0
`

// kraftRanges has the rows in which brokers with KRaft differed from those with
// ZooKeeper while there were both, 2.8 to 3.9 (listeners: broker). Up to 3.2 KRaft
// was a preview and two answers do not follow the definitions, as 2.8.2 and 3.0.2
// show: Envelope (58), which is the controllers', is counted as the broker's own, and
// UnregisterBroker (64), which in 2.8 is the broker's too, is left out.
const kraftRanges = `
4  LeaderAndIsr                 2.8:none
5  StopReplica                  2.8:none
6  UpdateMetadata               2.8:none
7  ControlledShutdown           2.8:none
22 InitProducerId               2.8:none 3.0:same
24 AddPartitionsToTxn           2.8:none 3.0:same
25 AddOffsetsToTxn              2.8:none 3.0:same
26 EndTxn                       2.8:none 3.0:same
28 TxnOffsetCommit              2.8:none 3.0:same
29 DescribeAcls                 2.8:none 3.0:same
30 CreateAcls                   2.8:none 3.0:same
31 DeleteAcls                   2.8:none 3.0:same
33 AlterConfigs                 2.8:none 3.0:same
37 CreatePartitions             2.8:none 3.0:same
38 CreateDelegationToken        2.8:none 3.6:same
39 RenewDelegationToken         2.8:none 3.6:same
40 ExpireDelegationToken        2.8:none 3.6:same
41 DescribeDelegationToken      2.8:none 3.6:same
43 ElectLeaders                 2.8:none 3.0:same
45 AlterPartitionReassignments  2.8:none 3.0:same
46 ListPartitionReassignments   2.8:none 3.0:same
48 DescribeClientQuotas         2.8:none 3.0:same
50 DescribeUserScramCredentials 2.8:none 3.5:same
51 AlterUserScramCredentials    2.8:none 3.5:same
55 DescribeQuorum               2.8:0 3.0:none 3.3:1 3.9:2
56 AlterPartition               2.8:none
57 UpdateFeatures               2.8:none 3.0:same
58 Envelope                     2.8:0 3.2:none
64 UnregisterBroker             2.8:none 3.3:0
67 AllocateProducerIds          2.8:none
74 ListConfigResources          3.7:0
75 DescribeTopicPartitions      3.8:0
80 AddRaftVoter                 3.9:0
81 RemoveRaftVoter              3.9:0
`

// controllerRanges are the APIs of KRaft controllers (listeners: controller). 3.8
// changed nothing, and up to 3.2 they answer no feature that identifies the release.
const controllerRanges = `
1  Fetch                        2.8:12 3.1:13 3.5:15 3.7:16 3.9:17 4.0:4-17 4.1:4-18
3  Metadata                     2.8:11 3.0:none
7  ControlledShutdown           2.8:3 4.0:none
17 SaslHandshake                2.8:1
18 ApiVersions                  2.8:3 3.9:4 4.4:5
19 CreateTopics                 2.8:7 4.0:2-7
20 DeleteTopics                 2.8:6 4.0:1-6
29 DescribeAcls                 3.0:2 3.3:3 4.0:1-3
30 CreateAcls                   3.0:2 3.3:3 4.0:1-3
31 DeleteAcls                   3.0:2 3.3:3 4.0:1-3
32 DescribeConfigs              3.7:4 4.0:1-4
33 AlterConfigs                 3.0:2
36 SaslAuthenticate             2.8:2
37 CreatePartitions             3.0:3
38 CreateDelegationToken        3.6:3 4.0:1-3
39 RenewDelegationToken         3.6:2 4.0:1-2
40 ExpireDelegationToken        3.6:2 4.0:1-2
41 DescribeDelegationToken      3.6:3 4.0:1-3
43 ElectLeaders                 3.0:2
44 IncrementalAlterConfigs      2.8:1
45 AlterPartitionReassignments  3.0:0 4.1:1
46 ListPartitionReassignments   3.0:0
49 AlterClientQuotas            2.8:1
50 DescribeUserScramCredentials 3.5:0
51 AlterUserScramCredentials    3.5:0
52 Vote                         2.8:0 3.9:1 4.0:2
53 BeginQuorumEpoch             2.8:0 3.9:1
54 EndQuorumEpoch               2.8:0 3.9:1
55 DescribeQuorum               2.8:0 3.3:1 3.9:2
56 AlterPartition               2.8:0 3.2:1 3.3:2 3.5:3 4.0:2-3
57 UpdateFeatures               3.3:1 4.0:2
58 Envelope                     2.8:0
59 FetchSnapshot                2.8:0 3.9:1
60 DescribeCluster              3.7:1 4.0:2
62 BrokerRegistration           2.8:0 3.4:1 3.7:3 3.9:4
63 BrokerHeartbeat              2.8:0 3.7:1 4.3:2
64 UnregisterBroker             2.8:0
67 AllocateProducerIds          3.0:0
70 ControllerRegistration       3.7:0
73 AssignReplicasToDirs         3.7:0
80 AddRaftVoter                 3.9:0 4.2:1
81 RemoveRaftVoter              3.9:0
82 UpdateRaftVoter              3.9:0
94 UnregisterController         4.4:0
`

// metadataLevels are the highest levels of the feature metadata.version that KRaft
// brokers and controllers support (KIP-778): MetadataVersion.java at the release's
// tag, its LATEST_PRODUCTION from 3.7 on. Brokers with ZooKeeper have no feature.
const metadataLevels = `
3.3:7 3.4:8 3.5:11 3.6:14 3.7:19 3.8:20 3.9:21 4.0:25 4.1:27 4.2:29 4.3:30 4.4:33
`
