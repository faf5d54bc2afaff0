using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Gateway.Sandbox;

/// <summary>Sends signals. The program kill is missing where nothing but the system's base is installed.</summary>
internal static partial class ProcessSignal
{
    private const int HangUpNumber = 1;
    private const int InterruptNumber = 2;
    private const int TerminateNumber = 15;

    public static void HangUp(Process process) => Send(process, HangUpNumber);

    public static void Interrupt(Process process) => Send(process, InterruptNumber);

    public static void Terminate(Process process) => Send(process, TerminateNumber);

    private static void Send(Process process, int signal)
    {
        if (!process.HasExited)
        {
            _ = Kill(process.Id, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
