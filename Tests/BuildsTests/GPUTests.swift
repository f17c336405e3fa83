import Models
import TestSupport
import Testing

@testable import Builds

private func web(_ gpu: String?) -> String { gpu.map { "processes: { web: { resources: { gpu: \($0) } } }\n" } ?? "\n" }

struct `GPUs` {
    @Test(arguments: [
        ("flask\n", nil, 0, false, nil),
        ("flask\n", "2", 2, false, nil),
        ("flask\n", "optional", 1, true, nil),
        ("flask\ntorch==2.4.0\n", nil, 1, false, "torch in requirements.txt line 2 needs CUDA"),
        ("torch==2.4.0+cpu\n", nil, 0, false, nil),
        ("--extra-index-url https://download.pytorch.org/whl/cpu\ntorch\n", nil, 0, false, nil),
        ("tensorflow\n", nil, 0, false, nil),
        ("tensorflow[AND-CUDA]>=2\n", nil, 1, false, "tensorflow[and-cuda] in requirements.txt line 1 needs CUDA"),
        ("jax[cuda12]\n", nil, 1, false, "jax[cuda12] in requirements.txt line 1 needs CUDA"),
        ("jax\n", nil, 0, false, nil),
        ("onnxruntime_gpu\n", "optional", 1, true, "onnxruntime-gpu in requirements.txt line 1 needs CUDA"),
        ("torch\n", "0", 0, false, "torch in requirements.txt line 1 needs CUDA"),
    ])
    func `are wanted where moor.yaml or a package says so`(
        _ requirements: String, _ gpu: String?, _ count: Int, _ isOptional: Bool, _ package: String?
    ) throws {
        let plan = try plan(["requirements.txt": requirements, "Procfile": "web: x", "moor.yaml": web(gpu)])
        #expect(plan.gpu.count == count)
        #expect(count == 0 || plan.gpu.isOptional == isOptional)
        #expect(plan.gpu.package == package)
        #expect(plan.reading.formation[0].resources.gpus == count)
        #expect((plan.overlay?.id == "gpu") == (count > 0))
        #expect(plan.stages.last?.stage.environment.contains("NVIDIA_VISIBLE_DEVICES=all") == (count > 0))
        #expect(plan.detection.buildpack.id == "pip")
    }

    @Test func `a host with too few is told before anything is built`() throws {
        let plan = try plan(["requirements.txt": "torch\n", "Procfile": "web: x"])
        let error = try #require(throws: MoorError.self) { try plan.requireGPUs(available: 0) }
        #expect(error.message == "this app needs 1 GPU; this host has none")
        #expect(error.hint?.contains("gpu: optional") == true && error.hint?.contains("torch in requirements.txt line 1") == true)
        try plan.requireGPUs(available: 1)
        let many = try BuildsTests.plan(["requirements.txt": "", "Procfile": "web: x", "moor.yaml": web("3")])
        #expect(throws: MoorError.self) { try many.requireGPUs(available: 2) }
        try BuildsTests.plan(["requirements.txt": "torch\n", "Procfile": "web: x", "moor.yaml": web("optional")]).requireGPUs(available: 0)
    }

    @Test func `an app that wants none gets wheels for CPUs, in a layer of its own`() throws {
        let declined = try plan(["requirements.txt": "torch\n", "Procfile": "web: x", "moor.yaml": web("0")])
        let wanted = try plan(["requirements.txt": "torch\n", "Procfile": "web: x"])
        #expect(declined.values["install"] == "export UV_TORCH_BACKEND=cpu; uv pip install --requirement requirements.txt")
        #expect(declined.stages[0].key != wanted.stages[0].key)
        #expect(declined.notes.contains { $0.contains("for CPUs") })
    }
}
