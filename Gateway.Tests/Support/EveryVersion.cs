namespace Gateway.Tests.Support;

/// <summary>The minor versions of Headscale that are understood.</summary>
public sealed class EveryVersion : TheoryData<int>
{
    public EveryVersion() => AddRange(26, 27, 28, 29, 30);
}
