using System.Diagnostics;

namespace Gateway.Tests.Support;

/// <summary>A file system that is soon full.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    public static async Task<SmallDisk> MountAsync(int kilobytes)
    {
        var disk = new SmallDisk();
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={kilobytes}k", "tmpfs", disk.Path);
        return disk;
    }

    public void Enlarge(int kilobytes)
    {
        using var process = Process.Start("mount", ["-o", $"remount,size={kilobytes}k", Path]);
        process.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("umount", Path);
        _folder.Dispose();
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0);
    }
}
