using System.Diagnostics;
using System.Security.Cryptography;

namespace Gateway.Sandbox.StandIns;

/// <summary>Work that takes the processor so long as the comparison of a key takes Headscale's.</summary>
internal sealed class KeyCost
{
    private const int Sample = 20_000;

    private readonly int _iterations;

    /// <param name="cost">How long the work takes on an idle processor.</param>
    public KeyCost(TimeSpan cost)
    {
        var started = Stopwatch.GetTimestamp();
        Work(Sample);
        _iterations = Math.Max(1, (int)(Sample * (cost / Stopwatch.GetElapsedTime(started))));
    }

    public void Pay() => Work(_iterations);

    private static void Work(int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2("key", "a salt for it"u8, iterations, HashAlgorithmName.SHA256, 32);
}
