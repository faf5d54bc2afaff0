namespace Gateway.Tests.Support;

/// <summary>Waits for what happens in the background.</summary>
internal static class Until
{
    /// <summary>Asks again and again, and gives up after twenty seconds.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var tries = 0; tries < 400; tries++)
        {
            if (await condition())
            {
                return;
            }

            await timer.WaitForNextTickAsync();
        }

        throw new Xunit.Sdk.XunitException($"it did not happen within 20 s that {what}");
    }

    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(() => Task.FromResult(condition()), what);
}
